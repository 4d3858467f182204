//! Repeated publications, with a NATS server that gives scripted answers.

use super::*;
use crate::{
    broker::jetstream::{ClientEffects, names::StreamNames},
    connection::SessionSink,
    fanout::Fanout,
    hub::{Hub, HubLimits},
    telemetry::Telemetry,
    tenant::Tenant,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use sealwire_protocol::ChannelId;
use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

const SEQUENCE: u64 = 5;
const FIRST_TIME: UnixMillis = UnixMillis(1_000);
const NOT_FOUND: &str = r#"{"error":{"code":404,"err_code":10037,"description":"no message found"}}"#;

/// A leader that has stored a publication under the id of every other one.
struct Script {
    /// The number of reads that find no message.
    unreadable: usize,
    /// The number of reads so far.
    reads: AtomicUsize,
    /// The sequence of the oldest message.
    first: u64,
    /// The stored message.
    stored: Draft,
}

impl Script {
    fn answer(&self, subject: &str) -> String {
        if subject.starts_with("$JS.API.STREAM.INFO.") {
            let (first, time) = (self.first, "2026-01-01T00:00:00Z");
            return format!(
                r#"{{"ts":"{time}","state":{{"messages":9,"first_seq":{first},"first_ts":"{time}","last_seq":20}}}}"#
            );
        }
        if !subject.starts_with("$JS.API.STREAM.MSG.GET.") {
            return format!(r#"{{"stream":"sealwire-0","seq":{SEQUENCE},"duplicate":true}}"#);
        }
        if self.reads.fetch_add(1, Ordering::Relaxed) < self.unreadable {
            return NOT_FOUND.to_owned();
        }
        let subject = StreamNames::new(&Default::default(), 0).channel(self.stored.channel);
        let data = STANDARD.encode(stored::publication(&self.stored, FIRST_TIME));
        format!(
            r#"{{"message":{{"subject":"{subject}","seq":{SEQUENCE},"data":"{data}","time":"2026-01-01T00:00:00Z"}}}}"#
        )
    }

    /// Answers the requests of one connection.
    async fn serve(&self, socket: TcpStream) -> std::io::Result<()> {
        let mut socket = BufReader::new(socket);
        let info = r#"{"server_id":"a","server_name":"a","version":"2.12.0","go":"","host":"","port":1,"proto":1,"max_payload":1000000,"headers":true,"jetstream":true}"#;
        socket.write_all(format!("INFO {info}\r\n").as_bytes()).await?;
        let (mut line, mut inbox) = (String::new(), String::new());
        while socket.read_line(&mut line).await? > 0 {
            let words: Vec<&str> = line.split_whitespace().collect();
            match *words.as_slice() {
                ["PING"] => socket.write_all(b"PONG\r\n").await?,
                ["SUB", _, id] => id.clone_into(&mut inbox),
                ["PUB" | "HPUB", subject, reply, .., length] => {
                    let answer = self.answer(subject);
                    let message = format!("MSG {reply} {inbox} {}\r\n{answer}\r\n", answer.len());
                    let mut body = vec![0; length.parse::<usize>().unwrap() + 2];
                    socket.read_exact(&mut body).await?;
                    socket.write_all(message.as_bytes()).await?;
                }
                _ => {}
            }
            line.clear();
        }
        Ok(())
    }
}

struct NoClients;

impl ClientEffects for NoClients {
    fn end_subscriptions(&self, _: Vec<ChannelId>) {}
    fn set_marks(&self, _: Vec<Position>) {}
}

fn draft(sealed: &'static [u8]) -> Draft {
    Draft {
        channel: ChannelId([7; 16]),
        tenant: Tenant::default(),
        event: "moved".to_owned(),
        sealed: Bytes::from_static(sealed),
        id: [1; 16],
        content: None,
        trace: None,
    }
}

/// Publishes at a leader with this script. Returns the result and the number of times that the leader was asked for the
/// stored publication.
async fn publish_at(
    script: Script,
    draft: Draft,
    limit: Duration,
) -> (Result<PublishReceipt, BrokerError>, usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let script = Arc::new(script);
    let server = script.clone();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        // The client ends the connection.
        let _ = server.serve(socket).await;
    });
    let client = async_nats::connect(address.to_string()).await.unwrap();
    let names = StreamNames::new(&Default::default(), 0);
    let limits = HubLimits { replay_window: Duration::from_secs(120), replay_bytes: 1 << 20 };
    let (_fanout, deliveries) = Fanout::<SessionSink>::start(1, Arc::default(), Telemetry::default());
    let hub = Arc::new(Mutex::new(Hub::new(0, limits, Now::read())));
    let (stream, _actions) = SharedStream::new(hub, deliveries, Arc::new(NoClients));
    stream.set_leader(Some(StreamApi { client, names, server: "a".to_owned() }));
    let result = publish(stream, draft, limit, &BrokerMetrics::default()).await;
    (result, script.reads.load(Ordering::Relaxed))
}

fn script(unreadable: usize, first: u64) -> Script {
    Script { unreadable, reads: AtomicUsize::new(0), first, stored: draft(b"sealed") }
}

const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_repeat_has_the_time_of_the_first_publication() {
    let (result, reads) = publish_at(script(0, 1), draft(b"sealed"), LONG).await;
    let receipt = result.unwrap();
    assert_eq!((receipt.position.offset, receipt.time, reads), (SEQUENCE, FIRST_TIME, 1));
}

#[tokio::test]
async fn a_repeat_with_the_digest_of_the_first_publication_may_have_other_sealed_bytes() {
    let digested = |digest: u8, sealed| Draft { content: Some([digest; 16]), ..draft(sealed) };
    let script = || Script { stored: digested(1, b"sealed"), ..script(0, 1) };
    let (result, _) = publish_at(script(), digested(1, b"sealed again"), LONG).await;
    assert_eq!(result.unwrap().time, FIRST_TIME);
    for other in [digested(2, b"sealed"), draft(b"sealed")] {
        let (result, _) = publish_at(script(), other, LONG).await;
        assert!(matches!(result, Err(BrokerError::IdReused(_))), "{result:?}");
    }
}

#[tokio::test]
async fn a_repeat_waits_until_the_first_publication_can_be_read() {
    let (result, reads) = publish_at(script(2, 1), draft(b"sealed"), LONG).await;
    assert_eq!((result.unwrap().time, reads), (FIRST_TIME, 3));
}

#[tokio::test]
async fn a_repeat_of_a_publication_that_is_never_readable_is_not_acknowledged() {
    let (result, reads) = publish_at(script(usize::MAX, 1), draft(b"sealed"), Duration::from_secs(1)).await;
    assert!(matches!(result, Err(BrokerError::Unavailable)));
    assert!(reads > 1);
}

#[tokio::test]
async fn a_repeat_of_a_discarded_publication_is_acknowledged() {
    let (result, reads) = publish_at(script(usize::MAX, SEQUENCE + 1), draft(b"sealed"), LONG).await;
    assert_eq!((result.unwrap().position.offset, reads), (SEQUENCE, 1));
}

#[tokio::test]
async fn another_message_under_a_used_id_is_refused() {
    let (result, _) = publish_at(script(1, 1), draft(b"other"), LONG).await;
    assert!(matches!(result, Err(BrokerError::IdReused(_))));
}
