//! Compares the memory that the relay counts with its resident memory, for the largest instances of each kind of memory
//! that clients can cause.

use crate::support::{
    App, CROWD, CROWD_TURN, Certificate, RelayProcess, Scrape, TLS12, TLS13, channel, handshake, masked, now,
    presence_enter, read_frame,
};
use sealwire_protocol::{
    limits::{MAX_FILTER_BYTES, MAX_SESSION_FILTER_BYTES},
    tokens::Permissions,
    wire::{Channel, Hello, PresenceWatch, Session, Subscribe, ToClient, ToRelay},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The minimum share of the resident memory that must be counted. The rest is rounding of the allocator.
const MIN_COUNTED_SHARE: f64 = 0.9;
/// The maximum of the counted memory, as a multiple of the resident memory.
const MAX_COUNTED_MULTIPLE: f64 = 4.0;

/// Builds `count` instances of kept connections, and compares their counted memory with their resident memory.
#[allow(clippy::print_stdout, reason = "the constants of the relay come from these figures")]
async fn compare<S>(name: &str, relay: &RelayProcess, count: usize, build: impl AsyncFn(usize) -> Vec<S>) {
    let mut kept = Vec::new();
    let settled = async || {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let scrape = Scrape::of(relay).await;
        let parts = [
            "frames",
            "unauthenticated",
            "requests",
            "connections",
            "sessions",
            "presence",
            "replay_overhead",
        ];
        let counted = parts.map(|part| scrape.value(&format!("sealwire_memory_bytes{{kind=\"{part}\"}}")));
        (counted.iter().sum::<f64>(), scrape.value("process_resident_memory_bytes"))
    };
    // The first instances also allocate everything that all share.
    let first = count / 8;
    for number in 0..first {
        kept.extend(build(number).await);
    }
    let before = settled().await;
    for number in first..first + count {
        kept.extend(build(number).await);
    }
    let after = settled().await;
    let [counted, resident] = [after.0 - before.0, after.1 - before.1].map(|bytes| bytes / count as f64);
    println!("{name}: {counted:.0} bytes are counted, and {resident:.0} are resident");
    assert!(
        counted >= MIN_COUNTED_SHARE * resident,
        "{name}: {counted:.0} bytes are counted of {resident:.0}"
    );
    assert!(
        counted <= MAX_COUNTED_MULTIPLE * resident,
        "{name}: {counted:.0} bytes are counted, and {resident:.0} are resident"
    );
}

/// Starts a relay with the longest deadlines.
fn relay() -> RelayProcess {
    RelayProcess::start(&[&FLAGS[..], &CROWD].concat())
}

const FLAGS: [&str; 14] = [
    "--header-timeout",
    "60s",
    "--hello-timeout",
    "60s",
    "--body-timeout",
    "60s",
    "--memory-bytes",
    "4GiB",
    "--frame-burst",
    "10000000",
    "--log",
    "error",
    "--admin-listen",
    "127.0.0.1:0",
];

/// Opens a connection and sends these bytes.
async fn sent(relay: &RelayProcess, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(relay.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// Returns a request head of nearly the maximum length, without its end.
fn large_head(first_line: &str) -> String {
    let lines: String = (0..95).map(|number| format!("x-{number}: {}\r\n", "y".repeat(140))).collect();
    format!("{first_line}\r\nhost: relay\r\n{lines}")
}

#[tokio::test]
async fn connections_without_a_token_are_counted_with_at_least_their_memory() {
    let _turn = CROWD_TURN.lock().await;
    rlimit::increase_nofile_limit(20_000).unwrap();
    let relay = &relay();
    compare("silent connections", relay, 600, async |_| vec![sent(relay, b"").await]).await;
    let relay = &self::relay();
    compare("heads that begin", relay, 600, async |_| vec![sent(relay, b"GET / HT").await]).await;
    let relay = &self::relay();
    let head = large_head("GET /healthz HTTP/1.1");
    compare("heads that do not end", relay, 300, async |_| vec![sent(relay, head.as_bytes()).await]).await;
    let relay = &self::relay();
    let head = large_head("POST /v1/send HTTP/1.1") + "content-length: 200000\r\n\r\nA";
    compare("bodies that do not end", relay, 300, async |_| vec![sent(relay, head.as_bytes()).await]).await;
    let relay = &self::relay();
    let head = large_head("POST /v1/stream HTTP/1.1") + "content-length: 0\r\n\r\n";
    let stream = async |_| {
        let mut stream = sent(relay, head.as_bytes()).await;
        stream.read_exact(&mut [0; 15]).await.unwrap();
        vec![stream]
    };
    compare("streams without a token", relay, 300, stream).await;
    let relay = &self::relay();
    compare("WebSockets without a token", relay, 1000, async |_| vec![handshake(relay).await]).await;
}

#[tokio::test]
async fn tls_handshakes_are_counted_with_at_least_their_memory() {
    let _turn = CROWD_TURN.lock().await;
    let relay = || RelayProcess::start_tls(&Certificate::new(), "", &[&FLAGS[..], &CROWD].concat());
    // A TLS record of the maximum length, with the start of a ClientHello of the maximum length.
    let record = |len: usize| {
        let mut record = vec![22, 3, 1, 0x3f, 0xff, 1, 0, 0xff, 0xff, 3, 3];
        record.resize(len, 0);
        record
    };
    for (name, bytes) in
        [("handshakes that begin", record(8)), ("handshakes that do not end", record(15_000))]
    {
        let relay = &relay();
        compare(name, relay, 300, async |_| vec![sent(relay, &bytes).await]).await;
    }
}

#[tokio::test]
async fn http_connections_over_tls_are_counted_with_at_least_their_memory() {
    let _turn = CROWD_TURN.lock().await;
    for version in [&TLS12, &TLS13] {
        let certificate = Certificate::new();
        let relay = &RelayProcess::start_tls(&certificate, "", &[&FLAGS[..], &CROWD].concat());
        let kept_alive = async |_| {
            let mut stream = certificate.connect(relay.address, version).await.unwrap();
            stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: relay\r\n\r\n").await.unwrap();
            stream.read_exact(&mut [0; 15]).await.unwrap();
            vec![stream]
        };
        compare("requests over TLS", relay, 300, kept_alive).await;
    }
}

/// Opens a connection and sends these frames, none of which may be refused.
async fn session(relay: &RelayProcess, frames: impl IntoIterator<Item = ToRelay>) -> TcpStream {
    let mut stream = handshake(relay).await;
    for frame in frames {
        let is_select = matches!(frame, ToRelay::Session(_));
        stream.write_all(&masked(0x82, &frame.to_bytes())).await.unwrap();
        // `Session` has no response of its own. The relay repeats it before its next response.
        if !is_select {
            answered(&mut stream).await;
        }
    }
    stream
}

/// Reads the response to a request, which must not be a refusal.
async fn answered(stream: &mut TcpStream) {
    loop {
        match ToClient::from_bytes(read_frame(stream).await.into()).unwrap() {
            ToClient::Session(_) | ToClient::Presence(_) => {}
            ToClient::Welcome(_) | ToClient::Subscribed(_) | ToClient::PresenceAccepted(_) => return,
            other => panic!("{other:?}"),
        }
    }
}

fn subscribe(request: u32, channel: Channel, events: Vec<String>) -> ToRelay {
    ToRelay::Subscribe(Subscribe { request, channel: Some(channel), since: None, events })
}

#[tokio::test]
async fn sessions_subscriptions_filters_and_tokens_are_counted_with_at_least_their_memory() {
    const SUBSCRIPTIONS: u32 = 200;
    let app = App::one();
    let hello = ToRelay::Hello(Hello { token: app.session("mallory") });
    let relay = &relay();
    let sessions = async |_| {
        let others = (1..32).flat_map(|number| [ToRelay::Session(Session { number }), hello.clone()]);
        vec![session(relay, [hello.clone()].into_iter().chain(others)).await]
    };
    compare("sessions of a connection", relay, 40, sessions).await;
    let relay = &self::relay();
    let subscriptions = async |number| {
        let of = |request| subscribe(request, channel(&format!("{number}-{request}")), Vec::new());
        vec![session(relay, [hello.clone()].into_iter().chain((1..=SUBSCRIPTIONS).map(of))).await]
    };
    compare("subscriptions", relay, 40, subscriptions).await;
    // The maximum number of the longest filters of a session, with few names and with many.
    for names in [4, 32] {
        let relay = &self::relay();
        let len = MAX_FILTER_BYTES / names;
        let events: Vec<String> =
            (0..names).map(|name| format!("{name}").repeat(len)[..len.min(255)].to_owned()).collect();
        let bytes: usize = events.iter().map(String::len).sum();
        let most = u32::try_from(MAX_SESSION_FILTER_BYTES / bytes).unwrap();
        let filters = async |number| {
            let of = |request| subscribe(request, channel(&format!("{number}-{request}")), events.clone());
            vec![session(relay, [hello.clone()].into_iter().chain((1..=most).map(of))).await]
        };
        compare(&format!("filters of {names} events"), relay, 200, filters).await;
    }
    let relay = &self::relay();
    let tokens = async |number| {
        let of = |request| {
            let name = format!("{number}-{request}").repeat(100)[..255].to_owned();
            let token = app.channel_token(&name, 7, Permissions::ALL, now() + 600);
            subscribe(request, Channel { name, properties: vec![], token }, Vec::new())
        };
        vec![session(relay, [hello.clone()].into_iter().chain((1..=SUBSCRIPTIONS).map(of))).await]
    };
    compare("subscriptions with a token", relay, 20, tokens).await;
}

#[tokio::test]
async fn presences_are_counted_with_at_least_their_memory() {
    /// The channels of one session.
    const CHANNELS: u32 = 64;
    let app = App::one();
    let enter = |request: u32, channel: Channel, number: usize| {
        presence_enter(request, channel, (number as u64) << 32 | u64::from(request), 1, 60)
    };
    let limits = ["--max-presence-members", "10000", "--max-presence-bytes", "1MiB", "--queue-bytes", "4MiB"];
    let relay = || RelayProcess::start(&[&FLAGS[..], &CROWD, &limits].concat());
    let hello = |number: usize| ToRelay::Hello(Hello { token: app.session(&format!("account {number}")) });
    // A channel for each member, one channel for all members, and one for all watchers.
    let alone = &relay();
    compare("channels with one member", alone, 60, async |number| {
        let of = |request| enter(request, channel(&format!("{number}-{request}")), number);
        vec![session(alone, [hello(number)].into_iter().chain((1..=CHANNELS).map(of))).await]
    })
    .await;
    let common = &relay();
    compare("members of common channels", common, 200, async |number| {
        let of = |request| enter(request, channel(&format!("{request}")), number);
        vec![session(common, [hello(number)].into_iter().chain((1..=CHANNELS).map(of))).await]
    })
    .await;
    let watched = &relay();
    compare("watchers of common channels", watched, 200, async |number| {
        let of = |request| {
            ToRelay::PresenceWatch(PresenceWatch { request, channel: Some(channel(&format!("{request}"))) })
        };
        vec![session(watched, [hello(number)].into_iter().chain((1..=CHANNELS).map(of))).await]
    })
    .await;
}
