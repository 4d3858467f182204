use super::*;
use crate::{
    limits::{LimitSettings, Limits},
    memory::{CONNECTION, Memory},
    streaming::Streams,
    websocket::encode_message,
};
use futures_util::StreamExt as _;
use sealwire_protocol::wire::{Publication, ToClient};
use std::{net::Ipv4Addr, sync::Arc, time::Instant};

#[tokio::test]
async fn what_a_stream_holds_is_counted_once() {
    let memory = Arc::new(Memory::default());
    let limits = Arc::new(Limits::new(LimitSettings::default(), Instant::now()));
    let places = (Arc::new(limits.admit_connection(None).unwrap()), None);
    let (socket, mut events) = Arc::new(Streams::default()).open(&memory).unwrap();
    let held = Held::new(memory.clone(), CONNECTION);
    let socket = Socket::Streamed(socket);
    let outbound =
        Outbound::new(socket, Queue::new(1 << 20, false), Ipv4Addr::LOCALHOST.into(), places, held);
    let publication = Publication { sealed: vec![7; 30_000].into(), ..Publication::default() };
    let frame = memory.count(encode_message(&ToClient::Publication(publication)).0);
    let shared = memory.held().frames;
    let idle = CONNECTION + outbound.socket.footprint(false) as usize;
    for _ in 0..8 {
        outbound.push_live(0, &frame);
        outbound.flush();
    }
    // A client that does not read: one event lies in the stream, the rest of the frames in the queue.
    let (streamed, queued) = (outbound.socket.held(), outbound.state().queue.footprint());
    assert!(streamed >= 30_000 * 4 / 3 && queued > 0, "{streamed} {queued}");
    assert!(memory.held().total().abs_diff(shared + idle + streamed + queued) < UNCOUNTED);
    assert_eq!(outbound.weight(), 7 * frame.len() + queued + idle - CONNECTION + streamed);
    // It reads.
    while outbound.backlog().bytes > 0 || outbound.socket.held() > 0 {
        assert!(events.next().await.unwrap().unwrap().len() > 30);
        outbound.unblock();
    }
    assert_eq!(memory.held().total(), shared + idle);
    drop((outbound, events));
    assert_eq!(memory.held().total(), shared);
}
