use super::*;
use crate::{
    guests::guest,
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
async fn what_was_written_is_what_the_client_reads_wherever_its_socket_is_full() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let outbound = outbound(Socket::Tcp(server), true, &Arc::default());
    let frame = frame(1000);
    let (mut written, mut read) = (0, 0);
    let mut buffer = vec![0; 1 << 20];
    for _ in 0..50 {
        // Two at a time, so that a batch may begin where the socket is full already.
        while outbound.backlog().condition == Condition::Ready {
            outbound.push_live(0, &frame);
            outbound.push_live(0, &frame);
            written += outbound.flush();
        }
        // Fills it to the last byte that it takes.
        while outbound.backlog().condition == Condition::Blocked {
            while read < written {
                read += client.read(&mut buffer).await.unwrap();
            }
            poll_fn(|context| outbound.socket.poll_write_ready(context)).await.unwrap();
            written += outbound.go_on();
        }
    }
    while outbound.backlog().bytes > 0 {
        read += client.read(&mut buffer).await.unwrap();
        written += outbound.go_on();
    }
    while read < written {
        read += client.read(&mut buffer).await.unwrap();
    }
    assert_eq!(read, written);
    drop(outbound);
    assert_eq!(client.read(&mut buffer).await.unwrap(), 0);
}

#[tokio::test]
async fn whoever_writes_leaves_what_is_more_than_a_share_to_the_connections_task() {
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
    };
    let publications =
        (1..=1000_u64).map(|at| Arc::new(Publication::new(draft.clone(), at, at - 1, UnixMillis(1))));
    let (events, replay) = (EventFilter::default(), publications.collect::<History>());
    let bytes = usize::try_from(replay.bytes()).unwrap();
    outbound.push_opening(0, Opening { events: &events, replay: &replay, later: Vec::new() });
    let live = frame(10);
    outbound.push_live(0, &live);
    let (mut written, mut calls) = (0, 0);
    let mut read = Vec::new();
    while written < bytes + live.len() {
        // The socket has room for all of it at any time, and yet no call writes all of it.
        let now = if calls == 0 { outbound.flush() } else { outbound.go_on() };
        assert!(now < 2 * SHARE, "{now}");
        written += now;
        calls += 1;
        assert_ne!(outbound.backlog().condition, Condition::Blocked);
        assert_eq!(outbound.backlog().bytes, bytes + live.len() - written);
        while read.len() < written {
            client.read_buf(&mut read).await.unwrap();
        }
        assert_eq!(outbound.flush(), 0, "others do not go on with it");
    }
    assert!(calls >= bytes / (2 * SHARE));
    assert_eq!(outbound.backlog().condition, Condition::Ready);
    assert!(read.ends_with(&live), "what is live comes after the replay");
}

#[tokio::test]
async fn a_client_that_sends_whole_messages_is_not_stalled_by_an_unfinished_one() {
    let memory = Arc::default();
    let (socket, _events) = Arc::new(StreamRegistry::default()).open(&memory, &guest(&memory)).unwrap();
    let outbound = outbound(Socket::Streamed(socket), false, &memory);
    outbound.open_session();
    assert!(outbound.set_held(10_000, 0, false));
    let stalled = || match outbound.standing() {
        Standing::Waiting { stalled, .. } => stalled,
        other => panic!("{other:?}"),
    };
    while stalled() < 100 {
        std::thread::yield_now();
    }
    assert!(outbound.set_held(10_000, 0, false));
    let before = stalled();
    assert!(outbound.set_held(10_000, 0, true));
    assert!(before >= 100 && stalled() < before);
}

#[tokio::test]
async fn what_a_stream_holds_is_counted_once() {
    let memory = Arc::new(Memory::default());
    let (socket, mut events) = Arc::new(StreamRegistry::default()).open(&memory, &guest(&memory)).unwrap();
    let outbound = outbound(Socket::Streamed(socket), false, &memory);
    let frame = memory.count(frame(30_000));
    let shared = memory.held().frames;
    let idle = CONNECTION + outbound.socket.beside();
    for _ in 0..8 {
        outbound.push_live(0, &frame);
        outbound.flush();
    }
    // A client that does not read: one event lies in the stream, the rest of the frames in the queue.
    let (streamed, queued) = (outbound.socket.held(), outbound.state().queue.footprint());
    assert!(streamed >= 30_000 * 4 / 3 && queued > 0, "{streamed} {queued}");
    assert!(memory.held().total().abs_diff(shared + idle + streamed + queued) < UNCOUNTED);
    // Without a session all of it counts for the shedder, and with one the bytes that wait.
    let whole = memory.held().total() - shared;
    assert!(matches!(outbound.standing(), Standing::Stranger { bytes, .. } if bytes == whole), "{whole}");
    outbound.open_session();
    let waiting = 7 * frame.len() + queued + streamed;
    let standing = outbound.standing();
    assert!(
        matches!(standing, Standing::Waiting { bytes, .. } if bytes == waiting),
        "{standing:?} {waiting}"
    );
    // It reads.
    while outbound.backlog().bytes > 0 || outbound.socket.held() > 0 {
        assert!(events.next().await.unwrap().unwrap().len() > 30);
        outbound.go_on();
    }
    assert_eq!(memory.held().total(), shared + idle);
    assert_eq!(outbound.standing(), Standing::Settled { bytes: idle });
    drop((outbound, events));
    assert_eq!(memory.held().total(), shared);
}
