//! Several messages in one of the WebSocket's, for a client that takes that.

use crate::support::{App, Client, RelayProcess, channel, handshake_for, masked, rand_id, read_any_frame};
use sealwire_protocol::{
    Code,
    wire::{
        BATCHED_SUBPROTOCOL, Hello, Messages, Publication, SUBPROTOCOL, Since, Subscribe, ToClient, ToRelay,
    },
};
use std::collections::VecDeque;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;

/// A client that reads what a WebSocket brings, and counts it.
struct Reader {
    stream: TcpStream,
    messages: VecDeque<ToClient>,
    /// Messages of the WebSocket.
    brought: usize,
}

impl Reader {
    async fn subscribe(relay: &RelayProcess, subprotocol: &str, since: Option<Since>) -> Self {
        let stream = TcpStream::connect(relay.address).await.unwrap();
        let stream = handshake_for(stream, subprotocol).await;
        let mut reader = Self { stream, messages: VecDeque::new(), brought: 0 };
        reader.send(ToRelay::Hello(Hello { token: App::one().session("bob") })).await;
        assert!(matches!(reader.next().await, Some(ToClient::Welcome(_))));
        let channel = Some(channel("absences"));
        reader.send(ToRelay::Subscribe(Subscribe { request: 1, channel, since, events: vec![] })).await;
        assert!(matches!(reader.next().await, Some(ToClient::Subscribed(_))));
        reader
    }

    async fn send(&mut self, message: ToRelay) {
        self.stream.write_all(&masked(BINARY, &message.to_bytes())).await.unwrap();
    }

    /// Nothing at the close frame.
    async fn next(&mut self) -> Option<ToClient> {
        while self.messages.is_empty() {
            let (first, payload) = read_any_frame(&mut self.stream).await.unwrap();
            if first == CLOSE {
                return None;
            }
            assert_eq!(first, BINARY);
            self.brought += 1;
            self.messages.extend(
                Messages::of(payload.into()).map(|message| ToClient::from_bytes(message.unwrap()).unwrap()),
            );
        }
        self.messages.pop_front()
    }

    async fn publications(&mut self, count: usize) -> Vec<Publication> {
        let mut publications = Vec::new();
        while publications.len() < count {
            match self.next().await {
                Some(ToClient::Publication(publication)) => publications.push(publication),
                other => panic!("{other:?}"),
            }
        }
        publications
    }
}

#[tokio::test]
async fn a_client_that_takes_batches_gets_a_replay_in_few_messages() {
    const COUNT: usize = 200;
    let relay = RelayProcess::start(&[]);
    let mut publisher = Client::open(&relay, "alice").await;
    for number in 0..COUNT {
        publisher.publish("absences", &number.to_string()).await;
    }
    let since = Some(Since::ReplaySeconds(60));
    let mut batched = Reader::subscribe(&relay, BATCHED_SUBPROTOCOL, since).await;
    let mut single = Reader::subscribe(&relay, SUBPROTOCOL, since).await;
    let publications = batched.publications(COUNT).await;
    assert_eq!(publications, single.publications(COUNT).await);
    let texts = publications.iter().map(|publication| publication.sealed[64..].to_vec());
    assert!(texts.eq((0..COUNT).map(|number| number.to_string().into_bytes())));
    assert_eq!(single.brought, 2 + COUNT);
    assert!(batched.brought <= 2 + COUNT / 20, "{} messages for {COUNT}", batched.brought);
    // One that comes alone is what it always was.
    publisher.publish("absences", "live").await;
    assert_eq!(batched.publications(1).await, single.publications(1).await);
}

#[tokio::test]
async fn a_client_that_reads_too_slowly_gets_whole_batches_and_the_goodbye() {
    let relay = RelayProcess::start(&["--queue-bytes", "256KiB"]);
    let mut publisher = Client::open(&relay, "alice").await;
    let mut reader = Reader::subscribe(&relay, BATCHED_SUBPROTOCOL, None).await;
    // More than the buffers of both ends hold.
    let sealed = bytes::Bytes::from(vec![1; 20_000]);
    for _ in 0..1000 {
        let answer = publisher.try_publish(channel("absences"), "", sealed.clone(), rand_id()).await;
        assert!(matches!(answer, ToClient::Published(_)), "{answer:?}");
    }
    let mut previous = None;
    loop {
        match reader.next().await {
            Some(ToClient::Publication(publication)) => {
                assert!(previous.is_none_or(|previous| previous == publication.previous_offset));
                previous = Some(publication.offset);
            }
            Some(ToClient::Goodbye(goodbye)) => {
                assert_eq!(goodbye.code, Code::SlowConsumer.number());
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(previous.is_some());
    assert!(reader.next().await.is_none());
}
