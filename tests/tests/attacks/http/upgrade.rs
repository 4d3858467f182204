//! Invalid opening handshakes of WebSockets.

use super::*;

pub(super) const CASES: &[Case] = &[
    case("http-pipelined-behind-an-upgrade", |target| {
        // The bytes behind a handshake are frames, never a request.
        let smuggled = b"GET /healthz HTTP/1.1\r\nhost: relay\r\n\r\n";
        let mut socket = RawSocket::connect(target.port);
        socket.send(&[&upgrade_request("")[..], smuggled].concat());
        assert_eq!(status(&socket.response_head()), "101");
        let end = socket.read_to_end();
        assert_eq!((end.close, end.before), (Some(1002), vec![]));
    }),
    case("http-upgrade-refused-then-frames", |target| {
        // After a refused handshake the relay still reads HTTP.
        let mut socket = RawSocket::connect(target.port);
        let request = String::from_utf8(upgrade_request(""))
            .unwrap()
            .replace("sec-websocket-version: 13", "sec-websocket-version: 777");
        socket.send(request.as_bytes());
        assert_eq!(status(&socket.response().0), "426");
        socket.send(&frame(0x82, b"hello"));
        let answer = socket.text();
        assert!(answer.is_empty() || status(&answer) == "400", "{answer}");
    }),
    case("http-upgrades-that-are-none", |target| {
        let good = String::from_utf8(upgrade_request(""))
            .unwrap()
            .replace("connection: Upgrade", "connection: Upgrade, close");
        for (from, to, expected) in [
            ("GET /", "POST /", "405"),
            ("connection: Upgrade, close", "connection: close", "426"),
            ("upgrade: websocket", "upgrade: websockets", "426"),
            ("version: 13", "version: 8", "426"),
            ("version: 13", "version: 13, 8", "426"),
            ("key: dGhlIHNhbXBsZSBub25jZQ==", "key: c2hvcnQ=", "400"),
            ("key: dGhlIHNhbXBsZSBub25jZQ==", "key: !!!", "400"),
            ("sealwire.v1", "sealwire.v0", "400"),
            ("sealwire.v1", "", "400"),
        ] {
            let request = good.replacen(from, to, 1);
            assert_eq!(status(&target.exchange(request.as_bytes())), expected, "{to}");
        }
        let old = good.replacen("HTTP/1.1", "HTTP/1.0", 1);
        assert!(status(&target.exchange(old.as_bytes())).starts_with('4'));
    }),
    slow("http-upgrade-with-a-body", |target| {
        // The body of a handshake must not count as a frame: the relay discards it, or fails the connection.
        let hello = Hello { token: target.token_with(json!({})) };
        let hello = frame(0x82, &ToRelay::Hello(hello).to_bytes());
        let mut socket = RawSocket::connect(target.port);
        socket.send(&[upgrade_request(&format!("content-length: {}\r\n", hello.len())), hello].concat());
        assert_eq!(status(&socket.response_head()), "101");
        let end = socket.read_to_end();
        assert!(matches!(end.close, Some(1002 | 4408)) && end.before.is_empty(), "{end:?}");
    }),
    case("http-token-in-the-address", |target| {
        let token = target.token_with(json!({}));
        let request = String::from_utf8(upgrade_request(""))
            .unwrap()
            .replace("/v1/realtime", &format!("/v1/realtime?token={token}"));
        let mut socket = RawSocket::connect(target.port);
        socket.send(request.as_bytes());
        if status(&socket.response_head()) == "101" {
            // A token in the address opens no session, so Hello is still expected.
            socket.send(&frame(0x82, &[0x32, 0x00]));
            assert_eq!(socket.read_to_end().goodbye, Some(4));
        }
    }),
];
