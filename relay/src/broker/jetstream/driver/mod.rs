//! The task of one stream: it keeps a connection to the stream's leader, listens to the followed channels, and performs
//! the follower's requests.

mod api;
mod leader;
mod live;
mod marks;
mod reads;
mod requests;
mod shared_info;
mod stream_metrics;

pub(super) use api::{Acknowledgement, ApiError, StreamApi};

use super::{
    follower::{Entry, FollowerAction, Leader, RelinkReason},
    names::StreamNames,
    shared::SharedStream,
    stored,
};
use crate::{clock::Now, nats::NatsConnection, settings::Settings, trace_context::TraceContext};
use leader::find_leader;
use live::Live;
use marks::MarkWriter;
use requests::{Done, Requests};
use sealwire_protocol::UnixMillis;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
pub(super) use stream_metrics::StreamMetrics;
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, sleep},
};

const TICK: Duration = Duration::from_millis(100);
/// The pauses between attempts to find a leader.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_millis(300);
/// The interval in which an unchanged problem is logged again.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// The task of one stream.
pub(super) struct Driver {
    pub(super) stream: Arc<SharedStream>,
    pub(super) names: StreamNames,
    pub(super) settings: Arc<Settings>,
    pub(super) connections: Arc<[NatsConnection]>,
    pub(super) actions: mpsc::UnboundedReceiver<FollowerAction>,
    pub(super) metrics: StreamMetrics,
}

/// A connection to the leader, for as long as nothing can have been lost on it.
struct Link {
    connection: NatsConnection,
    /// The connection's losses at the start.
    losses: u64,
    api: StreamApi,
    leader: Leader,
    live: Live,
}

/// The reason for the end of a link.
#[derive(Debug, thiserror::Error)]
enum LinkEnd {
    #[error("the connection was lost")]
    Lost,
    #[error("{0}")]
    Request(#[from] ApiError),
    #[error("the follower asked for the leader again ({0:?})")]
    Asked(RelinkReason),
}

impl Link {
    /// Returns whether the connection is gone, or lost messages since the start of the link.
    fn is_lost(&self) -> bool {
        self.connection.losses() != self.losses || !self.connection.is_connected()
    }
}

impl Driver {
    /// Runs for as long as the relay.
    pub(super) async fn run(mut self) {
        let (mut pause, mut logged) = (FIRST_PAUSE, None::<(String, Instant)>);
        loop {
            let problem = match self.link().await {
                Ok(mut link) => {
                    pause = FIRST_PAUSE;
                    logged = None;
                    let end = self.follow(&mut link).await;
                    self.metrics.relinking(&end);
                    tracing::info!(stream = %self.names.stream(), leader = %link.leader.server, reason = %end, "looking for the stream's leader again");
                    None
                }
                Err(problem) => Some(problem),
            };
            self.stream.set_leader(None);
            self.metrics.unlinked();
            self.stream.with(|follower, _| follower.unlinked());
            let Some(problem) = problem else { continue };
            let is_news =
                logged.as_ref().is_none_or(|(known, at)| *known != problem || at.elapsed() >= LOG_INTERVAL);
            if is_news {
                tracing::warn!(stream = %self.names.stream(), %problem, "the stream cannot be followed; trying again");
                logged = Some((problem, Instant::now()));
            }
            sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// Connects to the leader and listens there.
    async fn link(&mut self) -> Result<Link, String> {
        let (connection, server) = find_leader(&self.connections, &self.names, &self.settings).await?;
        let losses = connection.losses();
        let api = StreamApi { client: connection.client().clone(), names: self.names.clone(), server };
        let mut live = Live::default();
        let failed = |error: async_nats::SubscribeError| error.to_string();
        live.watch_marks(&api).await.map_err(failed)?;
        let channels: Vec<_> = self.stream.with(|follower, _| follower.channels().collect());
        for channel in channels {
            live.watch(&api, channel).await.map_err(failed)?;
        }
        // This request follows the subscriptions on the same connection, so the leader has them when it answers.
        let info = api.info().await.map_err(|error| error.to_string())?;
        if info.leader.server != api.server {
            return Err(format!("the stream's leader is {} now", info.leader.server));
        }
        Ok(Link { connection, losses, api, leader: info.leader, live })
    }

    /// Follows the stream until something may have been lost.
    async fn follow(&mut self, link: &mut Link) -> LinkEnd {
        let leader = link.leader.clone();
        self.stream.with(|follower, _| follower.linked(leader, Now::read()));
        let (mut requests, mut marks) =
            (Requests::new(link.api.clone(), self.metrics.clone()), MarkWriter::new(self.metrics.clone()));
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut epoch = 0;
        loop {
            if link.is_lost() {
                return LinkEnd::Lost;
            }
            tokio::select! {
                Some(action) = self.actions.recv() => {
                    if let Err(end) = perform(action, link, &mut requests, &mut marks).await {
                        return end;
                    }
                }
                batch = link.live.next_batch() => self.stream.with(|follower, hub| {
                    let now = Now::read();
                    for (entry, previous) in batch {
                        match entry {
                            Entry::Publication(publication) => {
                                follower.publication_arrived(hub, publication, previous, now);
                            }
                            Entry::Mark(mark) => {
                                // A loss on the connection is noticed before the mark counts.
                                if !link.is_lost() {
                                    marks.arrived(now.monotonic);
                                    follower.mark_arrived(mark, previous);
                                }
                            }
                            Entry::Unknown(_) => self.metrics.ignored(),
                        }
                    }
                }),
                Some(done) = requests.next() => match done {
                    Ok(_) if link.is_lost() => return LinkEnd::Lost,
                    Ok(done) => self.complete(done),
                    Err(error) => return error.into(),
                },
                () = link.connection.changed() => {}
                _ = ticks.tick() => {
                    let now = Now::read();
                    let (last, counts, is_following) = self.stream.with(|follower, hub| {
                        follower.tick(hub, now);
                        (follower.last_mark(), follower.counts(), follower.is_following(now.monotonic))
                    });
                    self.metrics.update(counts, is_following);
                    if let Some((known, sequence)) = last {
                        if known != epoch {
                            epoch = known;
                            self.stream.set_leader(Some(link.api.clone()));
                        }
                        marks.write_if_due(&link.api, known, sequence, now);
                    }
                }
            }
        }
    }

    /// Brings an answer to the follower.
    fn complete(&self, done: Done) {
        let now = Now::read();
        self.stream.with(|follower, hub| match done {
            Done::Marks(request, marks) => follower.marks_found(hub, request, marks, now),
            Done::Stream(request, entries, info) => follower.stream_read(hub, request, entries, &info, now),
            Done::Channel(request, channel, publications, info) => {
                follower.channel_read(hub, request, channel, publications, &info, now);
            }
            Done::Message(request, sequence, entry) => {
                let time = entry.as_ref().and_then(Entry::time);
                follower.message_read(hub, request, sequence, time);
            }
            Done::Info(request, info) => follower.info_received(hub, request, &info, now),
        });
    }
}

/// Performs an action of the follower.
async fn perform(
    action: FollowerAction,
    link: &mut Link,
    requests: &mut Requests,
    marks: &mut MarkWriter,
) -> Result<(), LinkEnd> {
    match action {
        FollowerAction::Watch(channel) => {
            if link.live.watch(&link.api, channel).await.is_err() {
                return Err(LinkEnd::Lost);
            }
        }
        FollowerAction::Unwatch(channel) => link.live.unwatch(channel),
        FollowerAction::Relink(reason) => return Err(LinkEnd::Asked(reason)),
        FollowerAction::FindMarks(request) => requests.find_marks(request),
        FollowerAction::RenewMark { request, replaces } => requests.renew_mark(request, replaces),
        FollowerAction::ReadStream { request, from } => requests.read_stream(request, from),
        FollowerAction::ReadChannel { request, channel, from } => {
            requests.read_channel(request, channel, from);
        }
        FollowerAction::ReadMessage { request, sequence } => requests.read_message(request, sequence),
        FollowerAction::ReadInfo(request) => requests.read_info(request),
        // The shared stream performs these itself.
        FollowerAction::HastenMark => marks.hasten(),
        FollowerAction::Reset(reason) => {
            let stream = link.api.names.stream();
            tracing::warn!(%stream, %reason, "the subscriptions of a stream end, and their clients report a gap");
        }
        FollowerAction::Deliver(..)
        | FollowerAction::Answer(..)
        | FollowerAction::End(_)
        | FollowerAction::Proven(_) => {}
    }
    Ok(())
}

/// Returns the content of a message that arrived, and the sequence of the message before it on its subject. A message that
/// the stream does not repeat lacks sequences, and is [`Entry::Unknown`].
fn read_live(message: &async_nats::Message) -> (Entry, u64) {
    let headers = message.headers.as_ref();
    let number = |name: &str| headers?.get(name)?.as_str().parse::<u64>().ok();
    let (Some(sequence), Some(previous)) = (number("Nats-Sequence"), number("Nats-Last-Sequence")) else {
        return (Entry::Unknown(0), 0);
    };
    // The time of storage is needed only for messages that are read later.
    let mut entry = stored::read(&message.subject, sequence, UnixMillis(0), message.payload.clone());
    let trace = || TraceContext::from_traceparent(headers?.get("traceparent")?.as_str());
    if let (Entry::Publication(publication), Some(trace)) = (&mut entry, trace()) {
        publication.trace = trace.is_sampled().then(|| Box::new(trace));
    }
    (entry, previous)
}
