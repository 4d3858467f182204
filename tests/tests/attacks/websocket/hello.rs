//! Connections whose `Hello` is late, missing or repeated.

use super::*;

pub(super) const CASES: &[Case] = &[
    slow("ws-no-hello", |target| {
        let (start, end) = (Instant::now(), target.websocket(b""));
        assert_eq!(code_of(&end), Some(Code::HelloTimeout));
        assert!(start.elapsed() < Duration::from_secs(10));
    }),
    slow("ws-half-frame-then-silence", |target| {
        for len in [1, 2, 5, 20] {
            let end = target.websocket(&frame(0x82, &[0x0a; 100])[..len]);
            assert_eq!(code_of(&end), Some(Code::HelloTimeout), "{len}: {end:?}");
        }
    }),
    slow("ws-half-handshake-then-silence", |target| {
        let mut socket = RawSocket::connect(target.port);
        socket.send(&sealwire_tests::upgrade_request("")[..100]);
        let start = Instant::now();
        let text = socket.text();
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
        assert!(start.elapsed() < Duration::from_secs(25));
    }),
    slow("ws-hello-by-drops", |target| {
        // Each byte arrives within any read timeout, but the whole message takes longer than `hello_timeout`.
        let mut socket = RawSocket::upgraded(target.port);
        let hello = ToRelay::Hello(Hello { token: target.token_with(serde_json::json!({})) }).to_bytes();
        let start = Instant::now();
        for byte in frame(0x82, &hello) {
            if !socket.send(&[byte]) || start.elapsed() > Duration::from_secs(6) {
                break;
            }
            sleep(Duration::from_millis(50));
        }
        assert_eq!(code_of(&socket.read_to_end()), Some(Code::HelloTimeout));
    }),
    slow("ws-pings-instead-of-hello", |target| {
        let mut socket = RawSocket::upgraded(target.port);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(5) && socket.send(&frame(0x89, b"")) {
            sleep(Duration::from_millis(100));
        }
        assert_eq!(code_of(&socket.read_to_end()), Some(Code::HelloTimeout));
    }),
    case("ws-request-before-hello", |target| {
        let publish = ToRelay::Publish(Publish {
            request: 1,
            channel: Some(channel("secret-channel")),
            event: String::new(),
            sealed: sealed("x").into(),
            id: random::<16>().to_vec().into(),
            follows: 0,
            content: Default::default(),
        });
        must_end_before_hello(target, &frame(0x82, &publish.to_bytes()), Code::HelloExpected);
        must_end_before_hello(target, &frame(0x82, &ToRelay::Pong(Pong {}).to_bytes()), Code::HelloExpected);
    }),
    case("ws-hello-twice", |target| {
        let hello = ToRelay::Hello(Hello { token: target.token_with(serde_json::json!({ "sub": "admin" })) });
        let mut socket = target.mallory();
        socket.send_message(&hello);
        assert_eq!(code_of(&socket.read_to_end()), Some(Code::HelloExpected));
    }),
];
