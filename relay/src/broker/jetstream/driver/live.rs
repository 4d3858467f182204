//! The subscriptions at the leader, and the messages that arrive on them.
//!
//! The NATS client gives each subscription a queue of its own. It reads the connection in order and fills these queues in
//! that order, so once a mark was taken from its queue, everything before the mark is in the other queues. All queues are
//! emptied before a mark counts.

use super::{Entry, StreamApi, read_live};
use async_nats::{SubscribeError, Subscriber};
use futures_util::{
    Stream as _,
    stream::{AbortHandle, Abortable, SelectAll, abortable},
};
use sealwire_protocol::ChannelId;
use std::{
    collections::HashMap,
    pin::Pin,
    task::{Context, Poll},
};

/// The maximum number of messages that are taken at once.
const MAX_BATCH: usize = 1024;

/// The subscriptions of one link.
#[derive(Default)]
pub(super) struct Live {
    streams: SelectAll<Abortable<Subscriber>>,
    channels: HashMap<ChannelId, AbortHandle>,
    /// The marks that were taken before all queues were empty.
    marks: Vec<(Entry, u64)>,
}

impl Live {
    pub(super) async fn watch_marks(&mut self, api: &StreamApi) -> Result<(), SubscribeError> {
        let (stream, _) = abortable(api.client.subscribe(api.names.live_marks()).await?);
        self.streams.push(stream);
        Ok(())
    }

    pub(super) async fn watch(&mut self, api: &StreamApi, channel: ChannelId) -> Result<(), SubscribeError> {
        if self.channels.contains_key(&channel) {
            return Ok(());
        }
        let (stream, handle) = abortable(api.client.subscribe(api.names.live_channel(channel)).await?);
        self.streams.push(stream);
        self.channels.insert(channel, handle);
        Ok(())
    }

    /// Ends a subscription. The stream of messages is dropped when it is polled next, which unsubscribes.
    pub(super) fn unwatch(&mut self, channel: ChannelId) {
        if let Some(handle) = self.channels.remove(&channel) {
            handle.abort();
        }
    }

    /// Returns the next messages: publications as they come, and marks once everything before them was returned.
    pub(super) async fn next_batch(&mut self) -> Vec<(Entry, u64)> {
        // With tokio's budget, a queue could claim to be empty when it is not.
        tokio::task::unconstrained(std::future::poll_fn(|context| self.poll_batch(context))).await
    }

    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Vec<(Entry, u64)>> {
        let mut batch = Vec::new();
        while batch.len() < MAX_BATCH {
            match Pin::new(&mut self.streams).poll_next(context) {
                Poll::Ready(Some(message)) => match read_live(&message) {
                    mark @ (Entry::Mark(_), _) => self.marks.push(mark),
                    message => batch.push(message),
                },
                Poll::Ready(None) | Poll::Pending => {
                    batch.append(&mut self.marks);
                    break;
                }
            }
        }
        if batch.is_empty() { Poll::Pending } else { Poll::Ready(batch) }
    }
}
