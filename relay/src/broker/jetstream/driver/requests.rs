//! The follower's requests that are under way. A bounded number of them is at the leader at a time.

use super::{
    super::follower::{Entry, EpochMarks, RequestId, StoredPublication, StreamInfo},
    ApiError, StreamApi, StreamMetrics,
    shared_info::SharedInfo,
};
use crate::clock::Now;
use sealwire_protocol::ChannelId;
use std::sync::Arc;
use tokio::{sync::Semaphore, task::JoinSet};

/// The maximum number of channels and messages that are read at the same time.
const MAX_READS: usize = 128;

/// An answered request.
pub(super) enum Done {
    Marks(RequestId, Option<EpochMarks>),
    Stream(RequestId, Vec<Entry>, StreamInfo),
    Channel(RequestId, ChannelId, Vec<StoredPublication>, StreamInfo),
    Message(RequestId, u64, Option<Entry>),
    Info(RequestId, StreamInfo),
}

/// The requests of one link. They end with it.
pub(super) struct Requests {
    api: StreamApi,
    metrics: StreamMetrics,
    info: SharedInfo,
    reads: Arc<Semaphore>,
    tasks: JoinSet<Result<Done, ApiError>>,
}

impl Requests {
    pub(super) fn new(api: StreamApi, metrics: StreamMetrics) -> Self {
        let info = SharedInfo::new(api.clone());
        Self { api, metrics, info, reads: Arc::new(Semaphore::new(MAX_READS)), tasks: JoinSet::new() }
    }

    /// Returns the next answer, or `None` if no request is under way.
    pub(super) async fn next(&mut self) -> Option<Result<Done, ApiError>> {
        let result = self.tasks.join_next().await?;
        Some(result.unwrap_or_else(|error| Err(ApiError::Unavailable(error.to_string()))))
    }

    pub(super) fn find_marks(&mut self, request: RequestId) {
        let api = self.api.clone();
        self.tasks.spawn(async move { Ok(Done::Marks(request, api.find_marks().await?)) });
    }

    pub(super) fn renew_mark(&mut self, request: RequestId, replaces: Option<u64>) {
        let api = self.api.clone();
        self.tasks.spawn(async move {
            let written = api.renew_mark(replaces, Now::read().wall).await?;
            let marks = api.find_marks().await?;
            if marks.is_none_or(|marks| marks.newest.sequence < written) {
                return Err(ApiError::Unavailable("a server without the newest mark answered".to_owned()));
            }
            Ok(Done::Marks(request, marks))
        });
    }

    pub(super) fn read_stream(&mut self, request: RequestId, from: u64) {
        let api = self.api.clone();
        self.tasks.spawn(async move {
            let (entries, info) = api.read_stream(from).await?;
            Ok(Done::Stream(request, entries, info))
        });
    }

    pub(super) fn read_channel(&mut self, request: RequestId, channel: ChannelId, from: u64) {
        let (api, info, reads) = (self.api.clone(), self.info.clone(), self.reads.clone());
        let join = self.metrics.joining();
        self.tasks.spawn(async move {
            let _join = join;
            let _permit = reads.acquire_owned().await;
            let publications = api.read_channel(channel, from).await?;
            let info = info.get().await?;
            Ok(Done::Channel(request, channel, publications, info))
        });
    }

    pub(super) fn read_message(&mut self, request: RequestId, sequence: u64) {
        let (api, reads) = (self.api.clone(), self.reads.clone());
        self.tasks.spawn(async move {
            let _permit = reads.acquire_owned().await;
            Ok(Done::Message(request, sequence, api.read_message(sequence).await?))
        });
    }

    pub(super) fn read_info(&mut self, request: RequestId) {
        let info = self.info.clone();
        self.tasks.spawn(async move { Ok(Done::Info(request, info.get().await?)) });
    }
}
