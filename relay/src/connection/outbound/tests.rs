use super::{writing::WRITE_QUANTUM, *};
use crate::{
    http_connections::test_connection,
    hub::{Draft, History, Publication},
    limits::Limits,
    memory::{CONNECTION, Memory},
    session::EventFilter,
    settings::Settings,
    sse::StreamRegistry,
    tenant::Tenant,
    websocket::encode_message,
};
use futures_util::StreamExt as _;
use sealwire_protocol::{
    ChannelId, UnixMillis,
    wire::{self, ToClient},
};
use std::{future::poll_fn, net::Ipv4Addr, sync::Arc, time::Instant};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
};

fn outbound(socket: Socket, takes_batches: bool, memory: &Arc<Memory>) -> Outbound {
    let limits = Arc::new(Limits::new(Settings::default(), Instant::now()));
    let permits = (Arc::new(limits.admit_connection(None).unwrap()), None);
    let queue = Queue::new(1 << 30, takes_batches);
    Outbound::new(socket, queue, Ipv4Addr::LOCALHOST.into(), permits, memory.clone())
}

fn frame(sealed: usize) -> Bytes {
    let publication = wire::Publication { sealed: vec![7; sealed].into(), ..Default::default() };
    encode_message(&ToClient::Publication(publication)).0
}

#[tokio::test]
async fn the_client_reads_exactly_the_written_bytes_wherever_its_socket_fills() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let outbound = outbound(Socket::Tcp(server), true, &Arc::default());
    let frame = frame(1000);
    let (mut written, mut read) = (0, 0);
    let mut buffer = vec![0; 1 << 20];
    for _ in 0..50 {
        // Two frames at a time, so that a batch may start at a full socket.
        while outbound.backlog().condition == Condition::Ready {
            outbound.push_live(0, &frame);
            outbound.push_live(0, &frame);
            written += outbound.flush();
        }
        // The client reads, and the rest is written.
        while outbound.backlog().condition == Condition::Blocked {
            while read < written {
                read += client.read(&mut buffer).await.unwrap();
            }
            poll_fn(|context| outbound.socket.poll_write_ready(context)).await.unwrap();
            written += outbound.resume_writing();
        }
    }
    while outbound.backlog().bytes > 0 {
        read += client.read(&mut buffer).await.unwrap();
        written += outbound.resume_writing();
    }
    while read < written {
        read += client.read(&mut buffer).await.unwrap();
    }
    assert_eq!(read, written);
    drop(outbound);
    assert_eq!(client.read(&mut buffer).await.unwrap(), 0);
}

#[tokio::test]
async fn a_writer_leaves_more_than_a_quantum_to_the_connections_task() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let outbound = outbound(Socket::Tcp(server), false, &Arc::default());
    let draft = Draft {
        channel: ChannelId([1; 16]),
        tenant: Tenant::default(),
        event: String::new(),
        sealed: vec![7; 1000].into(),
        id: [0; 16],
        content: None,
        trace: None,
    };
    let publications =
        (1..=1000_u64).map(|at| Arc::new(Publication::new(draft.clone(), at, at - 1, UnixMillis(1))));
    let (events, replay) = (EventFilter::default(), publications.collect::<History>());
    let bytes = usize::try_from(replay.bytes()).unwrap();
    outbound.push_catch_up(0, CatchUp { events: &events, replay: &replay, later: Vec::new() });
    let live = frame(10);
    outbound.push_live(0, &live);
    let (mut written, mut calls) = (0, 0);
    let mut read = Vec::new();
    while written < bytes + live.len() {
        // The socket always has room for all of it, but no call writes more than a quantum and one write.
        let now = if calls == 0 { outbound.flush() } else { outbound.resume_writing() };
        assert!(now < 2 * WRITE_QUANTUM, "{now}");
        written += now;
        calls += 1;
        assert_ne!(outbound.backlog().condition, Condition::Blocked);
        assert_eq!(outbound.backlog().bytes, bytes + live.len() - written);
        while read.len() < written {
            client.read_buf(&mut read).await.unwrap();
        }
        assert_eq!(outbound.flush(), 0, "only the connection's task continues a paused write");
    }
    assert!(calls >= bytes / (2 * WRITE_QUANTUM));
    assert_eq!(outbound.backlog().condition, Condition::Ready);
    assert!(read.ends_with(&live), "live publications follow the replay");
}

#[tokio::test]
async fn a_client_that_completes_messages_is_not_stalled_by_an_incomplete_one() {
    let memory = Arc::default();
    let (socket, _events) =
        Arc::new(StreamRegistry::default()).open(&memory, &test_connection(&memory)).unwrap();
    let outbound = outbound(Socket::Streamed(socket), false, &memory);
    outbound.open_session();
    assert!(outbound.set_input_and_sessions(10_000, 0, false));
    let stalled = || match outbound.shed_class() {
        ShedClass::Backlogged { stalled, .. } => stalled,
        other => panic!("{other:?}"),
    };
    while stalled() < 100 {
        std::thread::yield_now();
    }
    assert!(outbound.set_input_and_sessions(10_000, 0, false));
    let before = stalled();
    assert!(outbound.set_input_and_sessions(10_000, 0, true));
    assert!(before >= 100 && stalled() < before);
}

#[tokio::test]
async fn the_bytes_of_a_stream_are_accounted_once() {
    let memory = Arc::new(Memory::default());
    let (socket, mut events) =
        Arc::new(StreamRegistry::default()).open(&memory, &test_connection(&memory)).unwrap();
    let outbound = outbound(Socket::Streamed(socket), false, &memory);
    let frame = memory.count(frame(30_000));
    let shared = memory.usage().frames;
    let idle = CONNECTION + outbound.socket.http_bytes();
    for _ in 0..8 {
        outbound.push_live(0, &frame);
        outbound.flush();
    }
    // The client does not read: one event is in the stream, the other frames are in the queue.
    let (streamed, queued) = (outbound.socket.buffered_bytes(), outbound.state().queue.footprint());
    assert!(streamed >= 30_000 * 4 / 3 && queued > 0, "{streamed} {queued}");
    assert!(memory.usage().total().abs_diff(shared + idle + streamed + queued) < UNCOUNTED);
    // Without a session, the shedder sees all bytes; with one, the waiting bytes.
    let whole = memory.usage().total() - shared;
    assert!(
        matches!(outbound.shed_class(), ShedClass::Unauthenticated { bytes, .. } if bytes == whole),
        "{whole}"
    );
    outbound.open_session();
    let waiting = 7 * frame.len() + queued + streamed;
    let shed_class = outbound.shed_class();
    assert!(
        matches!(shed_class, ShedClass::Backlogged { bytes, .. } if bytes == waiting),
        "{shed_class:?} {waiting}"
    );
    // The client reads.
    while outbound.backlog().bytes > 0 || outbound.socket.buffered_bytes() > 0 {
        assert!(events.next().await.unwrap().unwrap().len() > 30);
        outbound.resume_writing();
    }
    assert_eq!(memory.usage().total(), shared + idle);
    assert_eq!(outbound.shed_class(), ShedClass::Idle { bytes: idle });
    drop((outbound, events));
    assert_eq!(memory.usage().total(), shared);
}
