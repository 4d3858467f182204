//! Batches: several messages in one WebSocket message, for clients that accept them.

use crate::support::{App, Client, LightClient, Received, RelayProcess, channel, rand_id};
use sealwire_protocol::{
    Code,
    wire::{BATCHED_SUBPROTOCOL, Publication, SUBPROTOCOL, Since, ToClient},
};
use tokio::net::TcpStream;

async fn subscribe(relay: &RelayProcess, subprotocol: &str, since: Option<Since>) -> LightClient {
    let stream = TcpStream::connect(relay.address).await.unwrap();
    let mut client = LightClient::open_over(stream, subprotocol, &App::one().session("bob")).await;
    client.subscribe_since("absences", since).await;
    client
}

async fn publications(client: &mut LightClient, count: usize) -> Vec<Publication> {
    let mut publications = Vec::new();
    while publications.len() < count {
        match client.next().await {
            Received::Message(ToClient::Publication(publication)) => publications.push(publication),
            _ => panic!("the client got no publication"),
        }
    }
    publications
}

#[tokio::test]
async fn a_replay_to_a_client_that_accepts_batches_takes_few_websocket_messages() {
    const COUNT: usize = 200;
    let relay = RelayProcess::start(&[]);
    let mut publisher = Client::open(&relay, "alice").await;
    for number in 0..COUNT {
        publisher.publish("absences", &number.to_string()).await;
    }
    let since = Some(Since::ReplaySeconds(60));
    let mut batched = subscribe(&relay, BATCHED_SUBPROTOCOL, since).await;
    let mut single = subscribe(&relay, SUBPROTOCOL, since).await;
    let replay = publications(&mut batched, COUNT).await;
    assert_eq!(replay, publications(&mut single, COUNT).await);
    let texts = replay.iter().map(|publication| publication.sealed[80..].to_vec());
    assert!(texts.eq((0..COUNT).map(|number| number.to_string().into_bytes())));
    // Welcome and Subscribed are two messages of their own.
    assert_eq!(single.websocket_messages, 2 + COUNT);
    assert!(
        batched.websocket_messages <= 2 + COUNT / 20,
        "{} messages for {COUNT}",
        batched.websocket_messages
    );
    // A single publication is not a batch.
    publisher.publish("absences", "live").await;
    assert_eq!(publications(&mut batched, 1).await, publications(&mut single, 1).await);
}

#[tokio::test]
async fn a_slow_consumer_gets_complete_batches_and_then_the_goodbye() {
    let relay = RelayProcess::start(&["--queue-bytes", "256KiB"]);
    let mut publisher = Client::open(&relay, "alice").await;
    let mut slow = subscribe(&relay, BATCHED_SUBPROTOCOL, None).await;
    let mut reader = subscribe(&relay, BATCHED_SUBPROTOCOL, None).await;
    // In total this is more than the buffers of both ends hold, but at no time more than a queue holds.
    let sealed = bytes::Bytes::from(vec![1; 20_000]);
    for _ in 0..200 {
        for _ in 0..5 {
            let answer = publisher.try_publish(channel("absences"), "", sealed.clone(), rand_id()).await;
            assert!(matches!(answer, ToClient::Published(_)), "{answer:?}");
        }
        publications(&mut reader, 5).await;
    }
    let mut previous = None;
    let goodbye = loop {
        match slow.next().await {
            Received::Message(ToClient::Publication(publication)) => {
                assert!(previous.is_none_or(|previous| previous == publication.previous_offset));
                previous = Some(publication.offset);
            }
            Received::Goodbye(goodbye) => break goodbye,
            _ => panic!("the client got neither a publication nor the goodbye"),
        }
    };
    assert_eq!(goodbye.code, Code::SlowConsumer.number());
    assert!(previous.is_some());
}
