//! The calls of the broker as spans of a trace. With traces off, they are plain calls.

use super::{Broker, BrokerFuture};
use crate::{
    hub::{Draft, PublishReceipt, Replay},
    refused::Refused,
    telemetry::{Origin, Telemetry},
    tenant::Tenant,
};
use sealwire_protocol::{ChannelId, wire::Since};

/// Publishes a message. If the publication is recorded, its context travels with the message.
pub(crate) fn publish(
    telemetry: &Telemetry,
    broker: &dyn Broker,
    mut draft: Draft,
    origin: Origin,
) -> BrokerFuture<PublishReceipt> {
    let spans = telemetry.recorder().and_then(|recorder| recorder.publication(origin, &draft));
    let Some(spans) = spans else { return broker.publish(draft) };
    draft.trace = spans.context().map(Box::new);
    let answer = broker.publish(draft);
    Box::pin(async move {
        let result = answer.await;
        spans.end(result.as_ref().map_err(|error| Refused::from(*error).code));
        result
    })
}

/// Subscribes to a channel. Only a subscription that resumes can be recorded.
pub(crate) fn subscribe(
    telemetry: &Telemetry,
    broker: &dyn Broker,
    tenant: Tenant,
    channel: ChannelId,
    since: Option<Since>,
) -> BrokerFuture<Replay> {
    let span = telemetry
        .recorder()
        .zip(since)
        .and_then(|(recorder, since)| recorder.resumption(tenant, channel, since));
    let answer = broker.subscribe(tenant, channel, since);
    let Some(span) = span else { return answer };
    Box::pin(async move {
        let result = answer.await;
        span.end(result.as_ref().map_err(|error| Refused::from(*error).code));
        result
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::IdempotencyId;
    use std::{
        future::ready,
        ptr,
        sync::atomic::{AtomicUsize, Ordering},
    };

    /// A broker that remembers the addresses of the futures that it returned.
    #[derive(Default)]
    struct Remembering {
        publish: AtomicUsize,
        subscribe: AtomicUsize,
    }

    fn address<T>(future: &BrokerFuture<T>) -> usize {
        ptr::from_ref(&**future).cast::<()>().addr()
    }

    impl Broker for Remembering {
        fn publish(&self, draft: Draft) -> BrokerFuture<PublishReceipt> {
            assert!(draft.trace.is_none());
            let answer: BrokerFuture<_> = Box::pin(async move {
                drop(draft);
                Err(crate::broker::BrokerError::Full)
            });
            self.publish.store(address(&answer), Ordering::Relaxed);
            answer
        }

        fn subscribe(&self, tenant: Tenant, _: ChannelId, _: Option<Since>) -> BrokerFuture<Replay> {
            let answer: BrokerFuture<_> = Box::pin(async move {
                let _ = tenant;
                ready(Err(crate::broker::BrokerError::Unavailable)).await
            });
            self.subscribe.store(address(&answer), Ordering::Relaxed);
            answer
        }

        fn unsubscribe(&self, _: ChannelId) {}
    }

    #[test]
    fn without_traces_the_brokers_own_futures_are_returned() {
        let (telemetry, broker, channel) = (Telemetry::default(), Remembering::default(), ChannelId([1; 16]));
        let id: IdempotencyId = [0; 16];
        let tenant = Tenant::default();
        let draft = Draft {
            channel,
            tenant,
            event: String::new(),
            sealed: vec![].into(),
            id,
            content: None,
            trace: None,
        };
        let answer = publish(&telemetry, &broker, draft, Origin::Own);
        assert_eq!(address(&answer), broker.publish.load(Ordering::Relaxed));
        let since = Some(Since::ReplaySeconds(5));
        let answer = subscribe(&telemetry, &broker, tenant, channel, since);
        assert_eq!(address(&answer), broker.subscribe.load(Ordering::Relaxed));
    }
}
