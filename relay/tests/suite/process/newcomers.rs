//! More well-behaved clients than the relay has memory for: new clients are refused, and no existing one is
//! disconnected.

use super::bystanders::Bystanders;
use crate::support::{
    App, CROWD, CROWD_TURN, Certificate, Client, LightClient, RelayProcess, Scrape, Streamed, TLS13, channel,
    masked, read_frame, request, try_handshake,
};
use sealwire_protocol::{
    Code,
    wire::{Hello, Ping, Session, Subscribe, ToClient, ToRelay},
};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};
use tokio_rustls::client::TlsStream;

const TIMEOUT: Duration = Duration::from_secs(20);
/// The number of connections that are opened concurrently.
const AT_ONCE: usize = 32;

/// Opens a session over TLS. Returns `None` if the relay refused it for lack of memory.
async fn open_over_tls(
    address: SocketAddr,
    certificate: &Certificate,
    token: &str,
) -> Option<TlsStream<TcpStream>> {
    let mut stream = certificate.connect(address, &TLS13).await.ok()?;
    let request = "GET /v1/realtime HTTP/1.1\r\nhost: relay\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        sec-websocket-protocol: sealwire.v1\r\n\r\n";
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    if !head.starts_with(b"HTTP/1.1 101 ") {
        assert!(head.starts_with(b"HTTP/1.1 503 "), "{}", String::from_utf8_lossy(&head));
        return None;
    }
    let hello = ToRelay::Hello(Hello { token: token.into() }).to_bytes();
    stream.write_all(&masked(0x82, &hello)).await.ok()?;
    match ToClient::from_bytes(read_frame(&mut stream).await.into()).unwrap() {
        ToClient::Welcome(_) => Some(stream),
        ToClient::Goodbye(goodbye) => {
            assert_eq!(goodbye.code, Code::Overloaded.number(), "{goodbye:?}");
            None
        }
        other => panic!("{other:?}"),
    }
}

/// Checks that the client is served: the relay must answer its ping.
async fn must_live(stream: &mut TlsStream<TcpStream>) {
    stream.write_all(&masked(0x82, &ToRelay::Ping(Ping::default()).to_bytes())).await.unwrap();
    loop {
        let frame = timeout(TIMEOUT, read_frame(stream)).await.expect("no answer to a ping");
        match ToClient::from_bytes(frame.into()).unwrap() {
            ToClient::Pong(_) => return,
            ToClient::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_tls_clients_beyond_the_memory_budget_are_refused_and_no_other_client_is_disconnected() {
    let _turn = CROWD_TURN.lock().await;
    rlimit::increase_nofile_limit(20_000).unwrap();
    let (certificate, app) = (Arc::new(Certificate::new()), App::one());
    let flags =
        ["--memory-bytes", "64MiB", "--log", "error", "--heartbeat", "5m", "--admin-listen", "127.0.0.1:0"];
    let relay = RelayProcess::start_tls(&certificate, "", &[&flags[..], &CROWD].concat());
    let (address, token, refused) = (relay.address, app.session("alice"), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (certificate, token, refused) = (certificate.clone(), token.clone(), refused.clone());
        tasks.spawn(async move {
            let mut open = Vec::new();
            // The loop continues after the first refusals, to observe further ones.
            while refused.load(Ordering::Relaxed) < 200 {
                match open_over_tls(address, &certificate, &token).await {
                    Some(stream) => open.push(stream),
                    None => drop(refused.fetch_add(1, Ordering::Relaxed)),
                }
            }
            open
        });
    }
    let mut open: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let scrape = Scrape::of(&relay).await;
    println!("{} clients, {} MiB", open.len(), scrape.value("process_resident_memory_bytes") / 1048576.0);
    assert!((5_000..9_000).contains(&open.len()), "{} were admitted", open.len());
    assert_eq!(scrape.value("sealwire_connections_shed_total"), 0.0);
    assert_eq!(scrape.value("sealwire_sessions"), open.len() as f64, "a session was ended");
    assert!(scrape.value("sealwire_limit_refusals_total{limit=\"memory_bytes\"}") >= 200.0);
    assert!(scrape.value("process_resident_memory_bytes") < 128.0 * 1048576.0);
    for stream in open.iter_mut().step_by(100) {
        must_live(stream).await;
    }
    // The relay admits clients again after some have left.
    open.truncate(open.len() / 2);
    let begun = Instant::now();
    while open_over_tls(address, &certificate, &token).await.is_none() {
        assert!(begun.elapsed() < TIMEOUT, "clients that left take up memory");
    }
}

/// Opens as many streams as are `wanted`, without a token. Returns each with the start of the response to it.
async fn open_strangers(address: SocketAddr, wanted: usize) -> Vec<(TcpStream, [u8; 12])> {
    let mut tasks = JoinSet::new();
    for _ in 0..AT_ONCE {
        tasks.spawn(async move {
            let mut strangers = Vec::new();
            for _ in 0..wanted / AT_ONCE {
                let mut stream = TcpStream::connect(address).await.unwrap();
                let request = "POST /v1/stream HTTP/1.1\r\nhost: relay\r\ncontent-length: 0\r\n\r\n";
                let _ = stream.write_all(request.as_bytes()).await;
                let mut start = [0; 12];
                let _ = stream.read_exact(&mut start).await;
                strangers.push((stream, start));
            }
            strangers
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

/// Checks that the relay soon admits a client with a token.
async fn must_soon_admit_a_session(address: SocketAddr) {
    let begun = Instant::now();
    let mut stream = loop {
        match try_handshake(address).await {
            Ok(stream) => break stream,
            Err(_) => assert!(begun.elapsed() < TIMEOUT, "strangers keep other clients out"),
        }
        sleep(Duration::from_millis(100)).await;
    };
    let hello = ToRelay::Hello(Hello { token: App::one().session("carol") }).to_bytes();
    stream.write_all(&masked(0x82, &hello)).await.unwrap();
    let welcome = ToClient::from_bytes(read_frame(&mut stream).await.into()).unwrap();
    assert!(matches!(welcome, ToClient::Welcome(_)), "{welcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_without_a_token_displace_each_other_and_no_session() {
    const SESSIONS: usize = 300;
    const STRANGERS: usize = 2600;
    let _turn = CROWD_TURN.lock().await;
    rlimit::increase_nofile_limit(20_000).unwrap();
    let flags = ["--memory-bytes", "64MiB", "--log", "error", "--admin-listen", "127.0.0.1:0"];
    let relay = RelayProcess::start(&[&flags[..], &CROWD].concat());
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        let mut client = LightClient::open(relay.address, &App::one().session("alice")).await;
        client.subscribe("absences", None).await;
        sessions.push(client);
    }
    let mut streamed = Streamed::open(&relay, "bob").await;
    streamed.subscribe_since("absences", None).await;
    let mut bystanders = Bystanders::on(&relay).await;
    let strangers = open_strangers(relay.address, STRANGERS).await;
    let answered = |status: &[u8]| strangers.iter().filter(|(_, start)| start.ends_with(status)).count();
    println!("{} strangers have a stream, {} were told 503", answered(b"200"), answered(b"503"));
    assert!(answered(b"200") > 100 && answered(b"503") > 0);
    bystanders.must_be_untouched().await;
    let scrape = Scrape::of(&relay).await;
    assert!(
        scrape.value("sealwire_memory_bytes{kind=\"unauthenticated\"}") < 17.0 * 1048576.0,
        "{scrape:#?}"
    );
    assert!(scrape.value("process_resident_memory_bytes") < 128.0 * 1048576.0);

    // The strangers stay until their deadline. A client with a token is soon admitted all the same, and no session
    // ended.
    must_soon_admit_a_session(relay.address).await;
    bystanders.must_be_untouched().await;
    let mut publisher = Client::open(&relay, "dave").await;
    publisher.publish("absences", "everybody is there").await;
    for client in &mut sessions {
        let crate::support::Received::Message(ToClient::Publication(_)) = client.next().await else {
            panic!("a session was ended for strangers")
        };
    }
    assert_eq!(streamed.text().await, "everybody is there");
}

/// Returns the frames that open a session and make as many subscriptions in it as a session may have.
fn hoarding_session(connection: usize, session: u32, token: &str) -> Vec<u8> {
    const SUBSCRIPTIONS: u32 = 256;
    let mut frames = Vec::new();
    if session > 0 {
        frames.extend(masked(0x82, &ToRelay::Session(Session { number: session }).to_bytes()));
    }
    frames.extend(masked(0x82, &ToRelay::Hello(Hello { token: token.into() }).to_bytes()));
    for request in 1..=SUBSCRIPTIONS {
        let name = format!("{connection}-{request}");
        let events = (0..8).map(|event| format!("event-{event}")).collect();
        let subscribe = Subscribe { request, channel: Some(channel(&name)), since: None, events };
        frames.extend(masked(0x82, &ToRelay::Subscribe(subscribe).to_bytes()));
    }
    frames
}

/// Opens a connection with very many subscriptions. Returns both halves of it, of which a task holds the reader.
async fn hoard(
    address: SocketAddr,
    connection: usize,
    token: String,
) -> (OwnedWriteHalf, JoinHandle<OwnedReadHalf>) {
    const SESSIONS: u32 = 32;
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = crate::support::handshake_over(stream).await.into_split();
    // The client discards the responses, which it must read to be able to continue.
    let reading = tokio::spawn(async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(1..) = reader.read(&mut buffer).await {}
        reader
    });
    for session in 0..SESSIONS {
        if writer.write_all(&hoarding_session(connection, session, &token)).await.is_err() {
            break;
        }
    }
    (writer, reading)
}

/// Waits until the relay has read everything that clients sent. Returns its metrics at that time.
async fn once_everything_is_read(relay: &RelayProcess) -> Scrape {
    let (mut scrape, mut before) = (Scrape::of(relay).await, -1.0);
    while scrape.value("sealwire_received_bytes_total") != before {
        before = scrape.value("sealwire_received_bytes_total");
        sleep(Duration::from_secs(1)).await;
        scrape = Scrape::of(relay).await;
    }
    scrape
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_few_clients_with_very_many_subscriptions_neither_exhaust_the_memory_nor_block_others() {
    const CONNECTIONS: usize = 20;
    let flags = ["--memory-bytes", "64MiB", "--log", "error", "--admin-listen", "127.0.0.1:0"];
    let rates = ["--frame-rate", "1000000", "--frame-burst", "1000000"];
    let relay = RelayProcess::start(&[&flags[..], &rates, &CROWD].concat());
    let mut bystanders = Bystanders::on(&relay).await;
    let token = App::one().session("mallory");
    let mut tasks = JoinSet::new();
    for connection in 0..CONNECTIONS {
        tasks.spawn(hoard(relay.address, connection, token.clone()));
    }
    let attack = async { (tasks.join_all().await, once_everything_is_read(&relay).await) };
    let (hoarders, scrape) = bystanders.read_during(attack).await;
    let (resident, sessions) = (
        scrape.value("process_resident_memory_bytes") / 1048576.0,
        scrape.value("sealwire_memory_bytes{kind=\"sessions\"}") / 1048576.0,
    );
    println!(
        "{resident:.1} MiB resident, {sessions:.1} counted of {} subscriptions",
        scrape.value("sealwire_subscriptions")
    );
    assert!(sessions > 20.0, "the attack did not cause enough subscriptions");
    assert!(resident < 128.0);
    assert_eq!(scrape.value("sealwire_connections_shed_total"), 0.0);
    bystanders.must_be_untouched().await;
    // A new client with one subscription is admitted, while sessions that hold much get no more.
    let mut newcomer = LightClient::open(relay.address, &App::one().session("bob")).await;
    newcomer.subscribe("absences", None).await;
    let answer = request(relay.address, "GET", "/healthz", "", "").await;
    assert_eq!(answer.status, 200);
    drop(hoarders);
}
