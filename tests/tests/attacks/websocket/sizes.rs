//! Frames that are too large or too many.

use super::*;

pub(super) const CASES: &[Case] = &[
    case("ws-length-2-to-the-63", |target| {
        for first in [0x7f, 0x80, 0xff] {
            let header = [0x82, 0xff, first, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
            must_end_with(target, &header, Code::FrameTooLarge);
        }
    }),
    measured("ws-length-over-the-limit", |target| {
        let growth = Growth::of([&target.relay]);
        let mut sockets: Vec<_> = (0..50).map(|_| target.mallory()).collect();
        for socket in &mut sockets {
            // Only the header of the frame is sent.
            socket.send(&frame(0x82, &vec![0; limits::MAX_FRAME])[..14]);
        }
        growth.must_be_below(50 * 100 * 1024);
        drop(sockets);
        must_end_with(target, &frame(0x82, &vec![0; limits::MAX_FRAME + 1])[..14], Code::FrameTooLarge);
    }),
    case("ws-large-before-hello", |target| {
        // A client without a session may not make the relay hold a large message.
        let end = target.websocket(&frame(0x82, &vec![0x0a; 32 * 1024])[..14]);
        assert_eq!(code_of(&end), Some(Code::FrameTooLarge), "{end:?}");
    }),
    measured("ws-fragment-flood", |target| {
        let (mut socket, growth) = (target.mallory(), Growth::of([&target.relay]));
        socket.send(&frame(0x02, b""));
        let flood = frame(0x00, b"").repeat(1000);
        (0..100).all(|_| socket.send(&flood));
        growth.must_be_below(4 << 20);
        must_be_rate_limited(&socket.read_to_end());
    }),
    case("ws-fragments-over-the-limit", |target| {
        let mut socket = target.mallory();
        let piece = vec![0; 8 * 1024];
        socket.send(&frame(0x02, &piece));
        for _ in 0..18 {
            socket.send(&frame(0x00, &piece));
        }
        assert_eq!(code_of(&socket.read_to_end()), Some(Code::FrameTooLarge));
    }),
    measured("ws-ping-flood", |target| {
        let (mut socket, growth) = (target.mallory(), Growth::of([&target.relay]));
        let pings = frame(0x89, &[b'p'; 125]).repeat(100);
        let mut writer = socket.try_clone();
        let flood = std::thread::spawn(move || (0..500).take_while(|_| writer.send(&pings)).count());
        let end = socket.read_to_end();
        must_be_rate_limited(&end);
        assert!(end.before.len() < 50_000, "every ping was answered");
        // If the connection was reset while pings were in flight, some of the pongs may have been lost.
        let min = if end.goodbye.is_some() { 10_000 } else { 1_000 };
        assert!(end.before.len() > min, "only {} pings were answered", end.before.len());
        assert!(end.before.iter().all(|pong| *pong == Received::Pong(vec![b'p'; 125])));
        flood.join().unwrap();
        growth.must_be_below(8 << 20);
    }),
    measured("ws-ping-flood-unread", |target| {
        // The client does not read the pongs, so the relay must stop reading pings once its queue is full.
        let (mut socket, growth) = (target.mallory(), Growth::of([&target.relay]));
        socket.set_write_timeout(Duration::from_millis(500));
        let pings = frame(0x89, &[b'p'; 125]).repeat(100);
        let mut sent = 0;
        while sent < 100_000 && socket.send(&pings) {
            sent += 100;
        }
        growth.must_be_below(8 << 20);
        assert!(sent < 100_000, "the relay read {sent} pings of a client that does not read");
    }),
    case("ws-pong-flood", |target| {
        let mut socket = target.mallory();
        let pongs = frame(0x8a, &[0; 125]).repeat(500);
        (0..10).for_each(|_| assert!(socket.send(&pongs)));
        must_stay_open(&mut socket);
        (0..100).all(|_| socket.send(&pongs));
        must_be_rate_limited(&socket.read_to_end());
    }),
    case("ws-protocol-ping-flood", |target| {
        let mut socket = target.mallory();
        let ping = frame(0x82, &ToRelay::Ping(sealwire_protocol::wire::Ping::default()).to_bytes());
        for _ in 0..20 {
            socket.send(&ping.repeat(100));
            (0..100).for_each(|_| assert!(matches!(socket.expect_message(), ToClient::Pong(_))));
        }
    }),
];
