//! Frames.

use crate::{
    case::{Case, case, patient},
    target::{Target, channel, must_have_been_too_fast, must_live, random, sealed},
};
use sealwire_protocol::{
    Code, limits,
    wire::{Hello, Pong, Publish, ToClient, ToRelay, Unsubscribe},
};
use sealwire_tests::{Farewell, RawSocket, Received, fragments, frame};
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

pub(crate) const CASES: &[Case] = &[
    case("ws-unmasked", |target| {
        breaks_rfc_6455(target, &[0x82, 0x01, 0x00]);
        breaks_rfc_6455(target, &[0x89, 0x00]);
        breaks_rfc_6455(target, &[0x88, 0x02, 0x03, 0xe8]);
    }),
    case("ws-reserved-bits", |target| {
        for bits in [0x10, 0x20, 0x40, 0x70] {
            breaks_rfc_6455(target, &frame(0x82 | bits, b"x"));
            breaks_rfc_6455(target, &frame(0x89 | bits, b"x"));
        }
    }),
    case("ws-compressed", |target| {
        // permessage-deflate sets the first reserved bit; it was never agreed on. "Hello" as RFC 7692 has it.
        breaks_rfc_6455(target, &frame(0xc2, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]));
        let mut socket = RawSocket::connect(target.port);
        socket.send(&sealwire_tests::upgrade_request("sec-websocket-extensions: permessage-deflate\r\n"));
        let head = socket.head().to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 101") && !head.contains("extensions"), "{head}");
        // A bomb: a mebibyte of zeros.
        socket.send(&frame(0xc2, &[0xec, 0xc1, 0x01, 0x01, 0x00, 0x00, 0x00, 0x80]));
        assert_eq!(socket.farewell().close, Some(1002));
    }),
    case("ws-opcodes-reserved", |target| {
        for opcode in [0x3, 0x4, 0x5, 0x6, 0x7, 0xb, 0xc, 0xd, 0xe, 0xf] {
            breaks_rfc_6455(target, &frame(0x80 | opcode, b"x"));
        }
    }),
    case("ws-text", |target| {
        ends_with(target, &frame(0x81, b"{\"hello\":1}"), Code::TextFrame);
        ends_with(target, &frame(0x01, b"in pieces"), Code::TextFrame);
        ends_with(target, &frame(0x81, &[0xff, 0xfe]), Code::TextFrame);
    }),
    case("ws-control-too-long", |target| {
        for opcode in [0x88, 0x89, 0x8a] {
            breaks_rfc_6455(target, &frame(opcode, &[0x20; 126]));
            breaks_rfc_6455(target, &frame(opcode, &[0x20; 10_000])[..8]);
        }
    }),
    case("ws-control-fragmented", |target| {
        for opcode in [0x08, 0x09, 0x0a] {
            breaks_rfc_6455(target, &frame(opcode, b""));
        }
    }),
    case("ws-close-code-invalid", |target| {
        for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65_535] {
            breaks_rfc_6455(target, &frame(0x88, &code.to_be_bytes()));
        }
        breaks_rfc_6455(target, &frame(0x88, &[3]));
    }),
    case("ws-close-reason-not-utf-8", |target| {
        breaks_rfc_6455(target, &frame(0x88, b"\x03\xe8\xed\xa0\x80"));
        breaks_rfc_6455(target, &frame(0x88, b"\x03\xe8\xff"));
    }),
    case("ws-data-after-close", |target| {
        let mut reader = target.open(&target.victim, "alice");
        reader.subscribe(channel("after-close"), None);
        let mut socket = target.mallory();
        let publish = socket.publication(channel("after-close"), sealed("too late"), random());
        let bytes =
            [frame(0x88, &[0x03, 0xe8]), frame(0x82, &publish.to_bytes()), frame(0x89, b"?")].concat();
        socket.send(&bytes);
        let farewell = socket.farewell();
        assert_eq!((farewell.close, farewell.before), (Some(1000), vec![]));
        assert!(reader.is_quiet(Duration::from_millis(300)), "what came after the close was published");
    }),
    case("ws-length-2-to-the-63", |target| {
        for first in [0x7f, 0x80, 0xff] {
            let header = [0x82, 0xff, first, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
            ends_with(target, &header, Code::FrameTooLarge);
        }
    }),
    case("ws-length-over-the-limit", |target| {
        let before = target.relay.memory();
        let mut sockets: Vec<_> = (0..50).map(|_| target.mallory()).collect();
        for socket in &mut sockets {
            // Announced, never sent.
            socket.send(&frame(0x82, &vec![0; limits::MAX_FRAME])[..14]);
        }
        let grown = target.relay.memory().saturating_sub(before);
        assert!(grown < 50 * 100 * 1024, "{grown} bytes more for what was only announced");
        drop(sockets);
        ends_with(target, &frame(0x82, &vec![0; limits::MAX_FRAME + 1])[..14], Code::FrameTooLarge);
    }),
    case("ws-length-not-shortest", |target| {
        breaks_rfc_6455(target, &[0x82, 0xfe, 0, 1, 0, 0, 0, 0, 0]);
        breaks_rfc_6455(target, &[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
        breaks_rfc_6455(target, &[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0]);
    }),
    case("ws-large-before-hello", |target| {
        // Who has not shown a token may not make the relay hold a large message.
        let farewell = target.websocket(&frame(0x82, &vec![0x0a; 32 * 1024])[..14]);
        assert_eq!(code_of(&farewell), Some(Code::FrameTooLarge), "{farewell:?}");
    }),
    case("ws-fragment-flood", |target| {
        let (mut socket, before) = (target.mallory(), target.relay.memory());
        socket.send(&frame(0x02, b""));
        let flood = frame(0x00, b"").repeat(1000);
        let sent = (0..100).take_while(|_| socket.send(&flood)).count();
        let grown = target.relay.memory().saturating_sub(before);
        assert!(grown < 4 << 20, "{grown} bytes more for a message of nothing after {sent} thousand pieces");
        must_have_been_too_fast(&socket.farewell());
    }),
    case("ws-fragments-over-the-limit", |target| {
        let mut socket = target.mallory();
        let piece = vec![0; 8 * 1024];
        socket.send(&frame(0x02, &piece));
        for _ in 0..18 {
            socket.send(&frame(0x00, &piece));
        }
        assert_eq!(code_of(&socket.farewell()), Some(Code::FrameTooLarge));
    }),
    case("ws-continuation-of-nothing", |target| {
        breaks_rfc_6455(target, &frame(0x80, b"x"));
        breaks_rfc_6455(target, &frame(0x00, b""));
    }),
    case("ws-message-within-message", |target| {
        breaks_rfc_6455(target, &[frame(0x02, b"a"), frame(0x82, b"b")].concat());
        breaks_rfc_6455(target, &[frame(0x02, b"a"), frame(0x02, b"b")].concat());
    }),
    case("ws-ping-flood", |target| {
        let (mut socket, before) = (target.mallory(), target.relay.memory());
        let pings = frame(0x89, &[b'p'; 125]).repeat(100);
        let mut writer = socket.try_clone();
        let flood = std::thread::spawn(move || (0..500).take_while(|_| writer.send(&pings)).count());
        let farewell = socket.farewell();
        must_have_been_too_fast(&farewell);
        assert!(farewell.before.len() < 50_000, "every ping was answered");
        // Where the relay hung up on what still came, some of its answers may have been lost on the way.
        let least = if farewell.goodbye.is_some() { 10_000 } else { 1_000 };
        assert!(farewell.before.len() > least, "only {} pings were answered", farewell.before.len());
        assert!(farewell.before.iter().all(|pong| *pong == Received::Pong(vec![b'p'; 125])));
        flood.join().unwrap();
        let grown = target.relay.memory().saturating_sub(before);
        assert!(grown < 8 << 20, "{grown} bytes more");
    }),
    case("ws-ping-flood-unread", |target| {
        // Nobody reads the pongs: the relay stops to read the pings, and holds no more than its queue.
        let (mut socket, before) = (target.mallory(), target.relay.memory());
        socket.write_timeout(Duration::from_millis(500));
        let pings = frame(0x89, &[b'p'; 125]).repeat(100);
        let mut sent = 0;
        while sent < 100_000 && socket.send(&pings) {
            sent += 100;
        }
        let grown = target.relay.memory().saturating_sub(before);
        assert!(grown < 8 << 20, "{grown} bytes more");
        assert!(sent < 100_000, "the relay read {sent} pings whose answers nobody reads");
    }),
    case("ws-pong-flood", |target| {
        let mut socket = target.mallory();
        let pongs = frame(0x8a, &[0; 125]).repeat(500);
        (0..10).for_each(|_| assert!(socket.send(&pongs)));
        must_live(&mut socket);
        (0..100).all(|_| socket.send(&pongs));
        must_have_been_too_fast(&socket.farewell());
    }),
    case("ws-protocol-ping-flood", |target| {
        let mut socket = target.mallory();
        let ping = frame(0x82, &ToRelay::Ping(sealwire_protocol::wire::Ping {}).to_bytes());
        for _ in 0..20 {
            socket.send(&ping.repeat(100));
            (0..100).for_each(|_| assert!(matches!(socket.expect(), ToClient::Pong(_))));
        }
    }),
    case("ws-chopped-to-bytes", |target| {
        let mut socket = RawSocket::upgraded(target.port);
        let hello = ToRelay::Hello(Hello { token: target.token_with(serde_json::json!({})) }).to_bytes();
        let frames = fragments(0x02, &hello, hello.len()).concat();
        assert!(socket.send_chopped(&frames, 1));
        assert!(matches!(socket.expect(), ToClient::Welcome(_)));
    }),
    patient("ws-no-hello", |target| {
        let (start, farewell) = (Instant::now(), target.websocket(b""));
        assert_eq!(code_of(&farewell), Some(Code::HelloTimeout));
        assert!(start.elapsed() < Duration::from_secs(10));
    }),
    patient("ws-half-frame-then-silence", |target| {
        for len in [1, 2, 5, 20] {
            let farewell = target.websocket(&frame(0x82, &[0x0a; 100])[..len]);
            assert_eq!(code_of(&farewell), Some(Code::HelloTimeout), "{len}: {farewell:?}");
        }
    }),
    patient("ws-half-handshake-then-silence", |target| {
        let mut socket = RawSocket::connect(target.port);
        socket.send(&sealwire_tests::upgrade_request("")[..100]);
        let start = Instant::now();
        let text = socket.text();
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
        assert!(start.elapsed() < Duration::from_secs(25));
    }),
    patient("ws-hello-by-drops", |target| {
        // A byte at a time, each well within any timeout of a read, the whole beyond that of Hello.
        let mut socket = RawSocket::upgraded(target.port);
        let hello = ToRelay::Hello(Hello { token: target.token_with(serde_json::json!({})) }).to_bytes();
        let start = Instant::now();
        for byte in frame(0x82, &hello) {
            if !socket.send(&[byte]) || start.elapsed() > Duration::from_secs(6) {
                break;
            }
            sleep(Duration::from_millis(50));
        }
        assert_eq!(code_of(&socket.farewell()), Some(Code::HelloTimeout));
    }),
    patient("ws-pings-instead-of-hello", |target| {
        let mut socket = RawSocket::upgraded(target.port);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(5) && socket.send(&frame(0x89, b"")) {
            sleep(Duration::from_millis(100));
        }
        assert_eq!(code_of(&socket.farewell()), Some(Code::HelloTimeout));
    }),
    case("ws-request-before-hello", |target| {
        let publish = ToRelay::Publish(Publish {
            request: 1,
            channel: Some(channel("secret-channel")),
            event: String::new(),
            sealed: sealed("x").into(),
            id: random::<16>().to_vec().into(),
            follows: 0,
        });
        ends_before_hello(target, &frame(0x82, &publish.to_bytes()), Code::HelloExpected);
        ends_before_hello(target, &frame(0x82, &ToRelay::Pong(Pong {}).to_bytes()), Code::HelloExpected);
    }),
    case("ws-hello-twice", |target| {
        let hello = ToRelay::Hello(Hello { token: target.token_with(serde_json::json!({ "sub": "admin" })) });
        let mut socket = target.mallory();
        socket.message(&hello);
        assert_eq!(code_of(&socket.farewell()), Some(Code::HelloExpected));
    }),
    case("ws-no-protobuf", |target| {
        // The last is a batch, as only a relay sends them.
        let batch = [0x82, 2, 0x32, 0, 0x82, 2, 0x32, 0];
        for bytes in
            [&b""[..], b"hello", &[0xff; 300], &[0x1a, 0x05, 0x08], &[0x0b], &[0x07], &[0x00; 64], &batch]
        {
            ends_with(target, &frame(0x82, bytes), Code::MalformedFrame);
        }
    }),
    case("ws-protobuf-length-beyond-the-message", |target| {
        let endless = [0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f];
        ends_with(target, &frame(0x82, &endless), Code::MalformedFrame);
        ends_with(target, &frame(0x82, &[0x2a, 0x05, 0x22, 0xff, 0xff, 0xff, 0x7f]), Code::MalformedFrame);
    }),
    case("ws-protobuf-groups-nested", |target| {
        // Groups within groups, which no message has and a decoder might follow down its stack.
        ends_with(target, &frame(0x82, &[0x7b; 60_000]), Code::MalformedFrame);
        let nested = (0..2000).fold(vec![], |inner: Vec<u8>, _| {
            let mut outer = vec![0x12];
            prost::encoding::encode_varint(inner.len() as u64, &mut outer);
            [outer, inner].concat()
        });
        ends_with(target, &frame(0x82, &nested), Code::MalformedFrame);
    }),
    case("ws-token-not-utf-8", |target| {
        ends_before_hello(target, &frame(0x82, &[0x0a, 0x04, 0x0a, 0x02, 0xff, 0xfe]), Code::MalformedFrame);
    }),
    case("ws-message-twice-in-a-frame", |target| {
        // Of a repeated field the last one counts: a second Hello in the frame replaces the first and gains nothing.
        let hello = |token: &str| ToRelay::Hello(Hello { token: token.into() }).to_bytes();
        let bytes = [hello(&target.token_with(serde_json::json!({}))), hello("forged")].concat();
        ends_before_hello(target, &frame(0x82, &bytes), Code::TokenMalformed);
    }),
    case("ws-request-number-zero", |target| {
        let unsubscribe = ToRelay::Unsubscribe(Unsubscribe { request: 0, channel_id: vec![0; 16].into() });
        ends_with(target, &frame(0x82, &unsubscribe.to_bytes()), Code::MalformedFrame);
    }),
    case("ws-ids-of-other-sizes", |target| {
        for len in [0, 1, 15, 17, 1000] {
            let unsubscribe =
                ToRelay::Unsubscribe(Unsubscribe { request: 1, channel_id: vec![0; len].into() });
            ends_with(target, &frame(0x82, &unsubscribe.to_bytes()), Code::MalformedFrame);
        }
    }),
    case("ws-random-bytes", |target| {
        for _ in 0..100 {
            let mut socket = RawSocket::upgraded(target.port);
            socket.send(&random::<512>());
            // What it reads of them may go on after them.
            socket.finish();
            socket.farewell();
        }
    }),
    case("ws-reset-in-the-middle", |target| {
        for len in (0..100).step_by(3) {
            let mut socket = target.mallory();
            socket.subscribe(channel("reset"), None);
            let publish = socket.publication(channel("reset"), sealed(&"x".repeat(100)), random()).to_bytes();
            socket.send(&frame(0x82, &publish)[..len]);
            socket.reset();
        }
    }),
];

/// The code of `Goodbye`, where the close code is the one that goes with it.
fn code_of(farewell: &Farewell) -> Option<Code> {
    let code = farewell.goodbye.and_then(Code::from_number)?;
    (farewell.close == Some(code.close_code() as u16)).then_some(code)
}

/// Must be answered with 1002 and nothing else, before Hello and within a session.
fn breaks_rfc_6455(target: &Target, bytes: &[u8]) {
    let expected = Farewell { goodbye: None, close: Some(1002), before: vec![] };
    assert_eq!(target.websocket(bytes), expected, "before Hello, {bytes:x?}");
    let mut socket = target.mallory();
    socket.send(bytes);
    assert_eq!(socket.farewell(), expected, "in a session, {bytes:x?}");
}

fn ends_before_hello(target: &Target, bytes: &[u8], code: Code) {
    let farewell = target.websocket(bytes);
    assert_eq!(code_of(&farewell), Some(code), "before Hello: {farewell:?}");
}

/// Must end the connection with this code, before Hello and within a session.
fn ends_with(target: &Target, bytes: &[u8], code: Code) {
    let farewell = target.websocket(bytes);
    let before = if bytes.len() > limits::MAX_FIRST_FRAME { Code::FrameTooLarge } else { code };
    assert_eq!(code_of(&farewell), Some(before), "before Hello: {farewell:?}");
    let mut socket = target.mallory();
    socket.send(bytes);
    let farewell = socket.farewell();
    assert_eq!(code_of(&farewell), Some(code), "in a session: {farewell:?}");
}
