//! Attacks that occupy the relay's memory or connections at next to no cost (`resources-`): its memory must stay within a
//! fixed amount, and a deadline must end the connections.

use crate::{
    case::{Case, case, measured, slow},
    growth::Growth,
    target::{WRITE_TIMEOUT, channel, context, must_stay_open},
};
use sealwire_protocol::{
    Code, limits,
    wire::{Subscribe, ToClient, ToRelay},
};
use sealwire_tests::{RawSocket, frame};
use std::{
    net::Ipv4Addr,
    thread::sleep,
    time::{Duration, Instant},
};

const MIB: usize = 1 << 20;
/// The time by which a connection may outlive its deadline on a busy machine.
const SLACK: Duration = Duration::from_secs(15);

pub(crate) const CASES: &[Case] = &[
    measured("resources-unread-answers", |target| {
        // 15 KB of requests without a token ask for 18 MB of responses.
        let requests = b"GET /v1/openapi.json HTTP/1.1\r\nhost: relay\r\n\r\n".repeat(300);
        let address = Ipv4Addr::new(127, 0, 0, 6);
        let (growth, start) = (Growth::of([&target.relay]), Instant::now());
        let mut sockets: Vec<_> = (0..100).map(|_| target.connect_from(address)).collect();
        for socket in &mut sockets {
            socket.send(&requests);
        }
        sleep(WRITE_TIMEOUT / 2);
        growth.must_be_below(20 * MIB);
        for socket in &mut sockets {
            // Writing fails once the relay has closed the connection.
            while socket.send(b"\r\n") {
                assert!(
                    start.elapsed() < WRITE_TIMEOUT + SLACK,
                    "a connection with unread responses stays open"
                );
                sleep(Duration::from_millis(100));
            }
            let read = socket.count_to_end();
            assert!(read < MIB, "the relay wrote {read} bytes for a client that does not read");
        }
    }),
    slow("resources-answers-read-by-drops", |target| {
        let mut socket = RawSocket::connect(target.port);
        socket.send(&b"GET /v1/openapi.json HTTP/1.1\r\nhost: relay\r\n\r\n".repeat(300));
        let start = Instant::now();
        while socket.read_some(16) && socket.send(b"\r\n") {
            sleep(Duration::from_millis(200));
            assert!(start.elapsed() < WRITE_TIMEOUT + SLACK, "a connection that is read by drops stays open");
        }
    }),
    measured("resources-streams-without-a-token", |target| {
        let address = Ipv4Addr::new(127, 0, 0, 5);
        let (growth, start) = (Growth::of([&target.relay]), Instant::now());
        let mut sockets: Vec<_> = (0..150).map(|_| target.connect_from(address)).collect();
        for socket in &mut sockets {
            socket.send(b"POST /v1/stream HTTP/1.1\r\nhost: relay\r\ncontent-length: 0\r\n\r\n");
            let head = socket.response_head();
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        }
        growth.must_be_below(20 * MIB);
        // The deadline for `Hello` ends all of them although nothing reads them.
        for socket in &mut sockets {
            let _ = socket.count_to_end();
        }
        assert!(start.elapsed() < Duration::from_secs(3) + SLACK, "a stream without a session stays open");
    }),
    case("resources-talk-on-a-stream", |target| {
        let mut socket = RawSocket::connect(target.port);
        socket.send(b"POST /v1/stream HTTP/1.1\r\nhost: relay\r\ncontent-length: 0\r\n\r\n");
        assert!(socket.response_head().starts_with("HTTP/1.1 200"));
        socket.send(b"GET /healthz HTTP/1.1\r\nhost: relay\r\n\r\n");
        let start = Instant::now();
        let _ = socket.count_to_end();
        assert!(start.elapsed() < Duration::from_secs(2), "the relay accepts bytes that it does not read");
    }),
    case("resources-large-filters", |target| {
        let mut mallory = target.mallory();
        let subscribe = |request: u32, names: usize, len: usize| {
            let events = (0..names).map(|name| format!("{name:0len$}")).collect();
            let channel = Some(channel(&format!("filter-{request}")));
            ToRelay::Subscribe(Subscribe { request, channel, since: None, events })
        };
        // This filter would take 9 KiB.
        mallory.send_message(&subscribe(1, limits::MAX_EVENT_FILTERS, limits::MAX_EVENT_NAME));
        match mallory.expect_message() {
            ToClient::Failed(failed) => assert_eq!(failed.code, Code::FilterTooLarge.number(), "{failed:?}"),
            other => panic!("{other:?}"),
        }
        let (mut accepted, mut refused) = (0, 0);
        let burst: Vec<u8> =
            (2..252).flat_map(|request| frame(0x82, &subscribe(request, 32, 32).to_bytes())).collect();
        mallory.send(&burst);
        for _ in 2..252 {
            match mallory.expect_message() {
                ToClient::Subscribed(_) => accepted += 1,
                ToClient::Failed(failed) => {
                    assert_eq!(failed.code, Code::FilterTooLarge.number(), "{failed:?}");
                    refused += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(accepted, limits::MAX_SESSION_FILTER_BYTES / limits::MAX_FILTER_BYTES);
        assert_eq!(accepted + refused, 250);
        // Subscriptions without a filter are unaffected.
        assert!(matches!(mallory.subscribe(channel("all"), None), ToClient::Subscribed(_)));
    }),
    measured("resources-many-subscriptions", |target| {
        let growth = Growth::of([&target.relay]);
        let sockets: Vec<_> = (0..8)
            .map(|number| {
                let token = target.victim.session(&format!("hoarder-{number}"), &context(), 600);
                let mut socket = RawSocket::open(target.port, &token);
                for request in 0..256 {
                    let answer = socket.subscribe(channel(&format!("{number}-{request}")), None);
                    assert!(matches!(answer, ToClient::Subscribed(_)), "{answer:?}");
                }
                socket
            })
            .collect();
        // In a cluster, the NATS client has a queue for each followed channel.
        let limit = if target.cluster.is_some() { 24 } else { 8 } * MIB;
        growth.must_be_below(limit);
        drop(sockets);
        must_stay_open(&mut target.mallory());
    }),
];
