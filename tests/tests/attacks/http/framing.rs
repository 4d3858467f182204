//! Ambiguous or oversized request framing: lengths, encodings, headers, targets and versions.

use super::*;

pub(super) const CASES: &[Case] = &[
    case("http-smuggling-length-and-chunks", |target| {
        for headers in [
            "content-length: 6\r\ntransfer-encoding: chunked",
            "transfer-encoding: chunked\r\ncontent-length: 6",
            "transfer-encoding: chunked\r\ncontent-length: 60",
        ] {
            // By Content-Length, the second request begins within the body of the first; by the chunks, after it.
            must_not_smuggle(target, headers, "0\r\n\r\n");
        }
    }),
    case("http-smuggling-encodings", |target| {
        for headers in [
            "transfer-encoding: xchunked",
            "transfer-encoding: chunked, identity",
            "transfer-encoding: identity",
            "transfer-encoding: chunked\r\ntransfer-encoding: identity",
            "transfer-encoding: \x0bchunked",
            "transfer-encoding: chunked\x00",
            "transfer-encoding\x00: chunked",
        ] {
            must_be_refused(target, &request(headers, "0\r\n\r\n"), &["400", "501"]);
        }
    }),
    case("http-lengths-that-differ", |target| {
        for headers in [
            "content-length: 2\r\ncontent-length: 44",
            "content-length: 2, 44",
            "content-length: 44\r\ncontent-length: 2",
        ] {
            must_be_refused(target, &request(headers, "{}"), &["400"]);
        }
    }),
    case("http-lengths-that-are-none", |target| {
        for length in ["+2", "-2", "0x2", "2 2", "two", "2.0", "99999999999999999999999", ""] {
            must_be_refused(target, &request(&format!("content-length: {length}"), "{}"), &["400"]);
        }
    }),
    case("http-folded-headers", |target| {
        must_be_refused(target, &request("x: one\r\n two\r\ncontent-length: 2", "{}"), &["400"]);
        must_be_refused(target, &request("transfer-encoding:\r\n chunked", "0\r\n\r\n"), &["400"]);
        must_be_refused(target, b"GET /healthz HTTP/1.1\r\n host: relay\r\n\r\n", &["400"]);
    }),
    case("http-space-before-colon", |target| {
        must_be_refused(target, &request("content-length : 2", "{}"), &["400"]);
        must_be_refused(target, &request("transfer-encoding : chunked", "0\r\n\r\n"), &["400"]);
    }),
    case("http-control-bytes-in-headers", |target| {
        for header in ["x: a\x00b", "x: a\rb", "x\x01: a", "x\x7f: a", ": a", "x"] {
            must_be_refused(target, &request(&format!("{header}\r\ncontent-length: 2"), "{}"), &["400"]);
        }
    }),
    case("http-header-huge", |target| {
        let header = format!("x: {}\r\ncontent-length: 2", "y".repeat(100_000));
        must_be_refused(target, &request(&header, "{}"), &["431"]);
    }),
    case("http-headers-too-many", |target| {
        let headers: String = (0..150).map(|n| format!("x{n}: y\r\n")).collect();
        must_be_refused(target, &request(&format!("{headers}content-length: 2"), "{}"), &["431"]);
    }),
    case("http-request-line-huge", |target| {
        let path = "a".repeat(70_000);
        must_be_refused(
            target,
            format!("GET /{path} HTTP/1.1\r\nhost: relay\r\n\r\n").as_bytes(),
            &["414", "431"],
        );
        must_be_refused(target, "G".repeat(100_000).as_bytes(), &["400", "414", "431"]);
    }),
    case("http-methods", |target| {
        for method in ["GET", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "PROPFIND", "post", "X"] {
            let text = format!("{method} /v1/publish HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n\r\n");
            must_be_refused(target, text.as_bytes(), &["400", "405"]);
        }
        must_be_refused(
            target,
            b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n\r\n",
            &["400", "404", "405"],
        );
    }),
    case("http-odd-targets", |target| {
        for path in [
            "//v1/publish",
            "/v1//publish",
            "/v1/publish/",
            "/./v1/publish",
            "/v1/../v1/publish",
            "/v1/%70ublish",
            "/V1/PUBLISH",
            "/v1/publish;a",
            "/v1/publish%00",
        ] {
            let text = format!("GET {path} HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n\r\n");
            let answer = target.exchange(text.as_bytes());
            assert!(status(&answer).starts_with('4'), "{path}: {answer}");
        }
        for path in ["", "v1/publish", "*", "/a b", "/\u{7f}", "/\\", "http://[::1", "/<>"] {
            let text = format!("GET {path} HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n\r\n");
            let answer = target.exchange(text.as_bytes());
            assert!(status(&answer).starts_with('4'), "{path}: {answer}");
        }
    }),
    case("http-absolute-target", |target| {
        // The relay ignores the host of a target, because it forwards no requests.
        let answer = target
            .exchange(b"GET http://127.0.0.1:1/healthz HTTP/1.1\r\nhost: other\r\nconnection: close\r\n\r\n");
        assert!(status(&answer) == "200" && answer.contains("\"ok\""), "{answer}");
        let answer =
            target.exchange(b"GET http://127.0.0.1:1/ HTTP/1.1\r\nhost: other\r\nconnection: close\r\n\r\n");
        assert_eq!(status(&answer), "404", "{answer}");
    }),
    case("http-versions", |target| {
        for version in ["HTTP/0.9", "HTTP/3.0", "HTTP/1.2", "HTTP/11", "http/1.1", "HTCPCP/1.0"] {
            let answer = target.exchange(format!("GET /healthz {version}\r\nhost: relay\r\n\r\n").as_bytes());
            assert!(answer.is_empty() || status(&answer).starts_with(['4', '5']), "{version}: {answer}");
        }
    }),
    case("http-2-preface", |target| {
        let answer = target.exchange(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
        assert!(answer.is_empty() || status(&answer).starts_with(['4', '5']), "{answer}");
        let upgrade = b"GET /v1/realtime HTTP/1.1\r\nhost: relay\r\nconnection: Upgrade, HTTP2-Settings, close\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n";
        assert_eq!(status(&target.exchange(upgrade)), "426");
    }),
    case("http-tls-to-a-plain-port", |target| {
        let hello =
            [&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03][..], &random::<64>()]
                .concat();
        let answer = target.exchange(&hello);
        assert!(answer.is_empty() || status(&answer) == "400", "{answer}");
    }),
    case("http-pipelined", |target| {
        let mut socket = RawSocket::connect(target.port);
        socket.send(
            "GET /healthz HTTP/1.1\r\nhost: relay\r\n\r\nGET /nowhere HTTP/1.1\r\nhost: relay\r\n\r\n"
                .repeat(200)
                .as_bytes(),
        );
        for _ in 0..200 {
            assert_eq!(status(&socket.response().0), "200");
            assert_eq!(status(&socket.response().0), "404");
        }
    }),
    case("http-body-huge", |target| {
        let start = Instant::now();
        let answer = target.post(
            &format!("authorization: Bearer {}\r\n", target.victim.backend()),
            &" ".repeat(limits::MAX_BODY + 1),
        );
        assert_eq!(status(&answer), "413", "{answer}");
        // The body is announced and never sent; the response must not wait for it.
        let text = head(target, "content-length: 9999999999");
        let mut socket = RawSocket::connect(target.port);
        socket.send(text.as_bytes());
        socket.finish();
        let answer = socket.text();
        assert!(answer.is_empty() || status(&answer) == "413", "{answer}");
        assert!(start.elapsed() < Duration::from_secs(10));
    }),
    case("http-body-huge-in-chunks", |target| {
        let text = head(target, "transfer-encoding: chunked");
        let mut socket = RawSocket::connect(target.port);
        socket.send(text.as_bytes());
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        for _ in 0..40 {
            socket.send(chunk.as_bytes());
        }
        socket.send(b"0\r\n\r\n");
        assert_eq!(status(&socket.text()), "413");
    }),
    case("http-chunks-that-are-none", |target| {
        for chunks in [
            "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
            "-1\r\n{}\r\n0\r\n\r\n",
            "0x2\r\n{}\r\n0\r\n\r\n",
            "2\r\n{}xx0\r\n\r\n",
            "zz\r\n",
            "2 2\r\n{}\r\n0\r\n\r\n",
        ] {
            let answer =
                target.exchange(format!("{}{chunks}", head(target, "transfer-encoding: chunked")).as_bytes());
            assert!(answer.is_empty() || status(&answer) == "400", "{chunks}: {answer}");
        }
    }),
    case("http-chunk-extensions-and-trailers", |target| {
        let extension = format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "e".repeat(50_000));
        let trailers = format!("2\r\n{{}}\r\n0\r\n{}\r\n", "t: u\r\n".repeat(5_000));
        for chunks in [extension, trailers] {
            let answer =
                target.exchange(format!("{}{chunks}", head(target, "transfer-encoding: chunked")).as_bytes());
            assert!(answer.is_empty() || status(&answer).starts_with('4'), "{answer}");
        }
        // A trailer is not a header: the token has to precede the body.
        let text = "POST /v1/publish HTTP/1.1\r\nhost: relay\r\nconnection: close\r\ntrailer: authorization\r\n\
            content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n";
        let trailer = format!("authorization: Bearer {}\r\n\r\n", target.victim.backend());
        assert_eq!(status(&target.exchange(format!("{text}{trailer}").as_bytes())), "401");
    }),
];
