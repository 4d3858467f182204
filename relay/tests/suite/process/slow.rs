//! A single slow consumer.

use super::bystanders::Bystanders;
use crate::support::{Client, RelayProcess, channel, rand_id};
use sealwire_protocol::{
    Code,
    wire::{Since, ToClient},
};
use std::time::Duration;

/// The number of messages, which is more than the buffers of a loopback connection hold.
const MESSAGES: usize = 300;

#[tokio::test]
async fn a_slow_consumer_is_disconnected_and_delays_no_other_client() {
    let relay = RelayProcess::start(&["--queue-bytes", "256KiB"]);
    let mut bystanders = Bystanders::on(&relay).await;
    let mut publisher = Client::open(&relay, "alice").await;
    let mut reader = Client::open(&relay, "bob").await;
    let mut slow = Client::open(&relay, "carol").await;
    let start = slow.subscribe_since("absences", None).await.position.unwrap();
    reader.subscribe("absences").await;
    let large = bytes::Bytes::from(vec![1; 100 * 1024]);
    for _ in 0..MESSAGES {
        match publisher.try_publish(channel("absences"), "", large.clone(), rand_id()).await {
            ToClient::Published(_) => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(reader.publication().await.sealed.len(), large.len());
    }
    bystanders.must_be_untouched().await;

    let farewell = slow.must_end_with(Code::SlowConsumer).await;
    assert!(farewell.goodbye.unwrap().reconnect_after_ms > 0);
    // After a reconnect, the client gets all missed messages, although they are more than its queue can hold.
    let mut back = Client::open(&relay, "carol").await;
    let subscribed = back.subscribe_since("absences", Some(Since::Position(start))).await;
    assert!(subscribed.recovered);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut previous = start.offset;
    for _ in 0..MESSAGES {
        let publication = back.publication().await;
        assert_eq!(publication.previous_offset, previous);
        previous = publication.offset;
    }
    bystanders.must_be_untouched().await;
}
