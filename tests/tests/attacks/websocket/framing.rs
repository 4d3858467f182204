//! Framing that RFC 6455 forbids, or that carries no message of the protocol.

use super::*;

pub(super) const CASES: &[Case] = &[
    case("ws-unmasked", |target| {
        must_break_rfc_6455(target, &[0x82, 0x01, 0x00]);
        must_break_rfc_6455(target, &[0x89, 0x00]);
        must_break_rfc_6455(target, &[0x88, 0x02, 0x03, 0xe8]);
    }),
    case("ws-reserved-bits", |target| {
        for bits in [0x10, 0x20, 0x40, 0x70] {
            must_break_rfc_6455(target, &frame(0x82 | bits, b"x"));
            must_break_rfc_6455(target, &frame(0x89 | bits, b"x"));
        }
    }),
    case("ws-compressed", |target| {
        // permessage-deflate sets the first reserved bit, and was never negotiated. The payload is the "Hello" of RFC 7692.
        must_break_rfc_6455(target, &frame(0xc2, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]));
        let mut socket = RawSocket::connect(target.port);
        socket.send(&sealwire_tests::upgrade_request("sec-websocket-extensions: permessage-deflate\r\n"));
        let head = socket.response_head().to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 101") && !head.contains("extensions"), "{head}");
        // The payload decompresses to a mebibyte of zeros.
        socket.send(&frame(0xc2, &[0xec, 0xc1, 0x01, 0x01, 0x00, 0x00, 0x00, 0x80]));
        assert_eq!(socket.read_to_end().close, Some(1002));
    }),
    case("ws-opcodes-reserved", |target| {
        for opcode in [0x3, 0x4, 0x5, 0x6, 0x7, 0xb, 0xc, 0xd, 0xe, 0xf] {
            must_break_rfc_6455(target, &frame(0x80 | opcode, b"x"));
        }
    }),
    case("ws-text", |target| {
        must_end_with(target, &frame(0x81, b"{\"hello\":1}"), Code::TextFrame);
        must_end_with(target, &frame(0x01, b"in pieces"), Code::TextFrame);
        must_end_with(target, &frame(0x81, &[0xff, 0xfe]), Code::TextFrame);
    }),
    case("ws-control-too-long", |target| {
        for opcode in [0x88, 0x89, 0x8a] {
            must_break_rfc_6455(target, &frame(opcode, &[0x20; 126]));
            must_break_rfc_6455(target, &frame(opcode, &[0x20; 10_000])[..8]);
        }
    }),
    case("ws-control-fragmented", |target| {
        for opcode in [0x08, 0x09, 0x0a] {
            must_break_rfc_6455(target, &frame(opcode, b""));
        }
    }),
    case("ws-close-code-invalid", |target| {
        for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65_535] {
            must_break_rfc_6455(target, &frame(0x88, &code.to_be_bytes()));
        }
        must_break_rfc_6455(target, &frame(0x88, &[3]));
    }),
    case("ws-close-reason-not-utf-8", |target| {
        must_break_rfc_6455(target, &frame(0x88, b"\x03\xe8\xed\xa0\x80"));
        must_break_rfc_6455(target, &frame(0x88, b"\x03\xe8\xff"));
    }),
    case("ws-data-after-close", |target| {
        let mut reader = target.alice();
        reader.subscribe(channel("after-close"), None);
        let mut socket = target.mallory();
        let publish = socket.publication(channel("after-close"), sealed("too late"), random());
        let bytes =
            [frame(0x88, &[0x03, 0xe8]), frame(0x82, &publish.to_bytes()), frame(0x89, b"?")].concat();
        socket.send(&bytes);
        let end = socket.read_to_end();
        assert_eq!((end.close, end.before), (Some(1000), vec![]));
        assert!(reader.is_quiet(Duration::from_millis(300)), "a message after the close frame was published");
    }),
    case("ws-length-not-shortest", |target| {
        must_break_rfc_6455(target, &[0x82, 0xfe, 0, 1, 0, 0, 0, 0, 0]);
        must_break_rfc_6455(target, &[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
        must_break_rfc_6455(target, &[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0]);
    }),
    case("ws-continuation-of-nothing", |target| {
        must_break_rfc_6455(target, &frame(0x80, b"x"));
        must_break_rfc_6455(target, &frame(0x00, b""));
    }),
    case("ws-message-within-message", |target| {
        must_break_rfc_6455(target, &[frame(0x02, b"a"), frame(0x82, b"b")].concat());
        must_break_rfc_6455(target, &[frame(0x02, b"a"), frame(0x02, b"b")].concat());
    }),
    case("ws-chopped-to-bytes", |target| {
        let mut socket = RawSocket::upgraded(target.port);
        let hello = ToRelay::Hello(Hello { token: target.token_with(serde_json::json!({})) }).to_bytes();
        let frames = fragments(0x02, &hello, hello.len()).concat();
        assert!(socket.send_chopped(&frames, 1));
        assert!(matches!(socket.expect_message(), ToClient::Welcome(_)));
    }),
    case("ws-random-bytes", |target| {
        for _ in 0..100 {
            let mut socket = RawSocket::upgraded(target.port);
            socket.send(&random::<512>());
            // The bytes may begin a frame that is longer than they are.
            socket.finish();
            socket.read_to_end();
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
