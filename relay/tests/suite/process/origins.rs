//! The origins whose pages may use the relay.

use crate::support::{App, RelayProcess, batch, request};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

#[tokio::test]
async fn a_page_of_a_forbidden_origin_is_refused_on_every_endpoint() {
    let relay =
        RelayProcess::start(&["--proxy-terminates-tls", "--allowed-origins", "forge, https://own.example"]);
    let (forwarded, backend) = ("x-forwarded-for: 203.0.113.1\r\n", App::one().backend());
    for (origin, allowed) in [
        ("origin: https://x.cdn.prod.atlassian-dev.net\r\n", true),
        ("origin: https://own.example\r\n", true),
        ("", true),
        ("origin: https://evil.example\r\n", false),
        ("origin: null\r\n", false),
        ("origin: http://localhost:3000\r\n", false),
        ("origin: https://own.example\r\norigin: https://evil.example\r\n", false),
    ] {
        let upgrade = format!(
            "{forwarded}{origin}connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: sealwire.v1\r\n"
        );
        let mut stream = TcpStream::connect(relay.address).await.unwrap();
        let head = format!("GET /v1/realtime HTTP/1.1\r\nhost: relay\r\n{upgrade}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        let expected = if allowed { "HTTP/1.1 101" } else { "HTTP/1.1 403" };
        assert_eq!(String::from_utf8_lossy(&status), expected, "{origin}");
        let authorization = format!(
            "{forwarded}{origin}authorization: Bearer {backend}\r\ncontent-type: application/json\r\n"
        );
        let answer = request(relay.address, "POST", "/v1/publish", &authorization, &batch(1)).await;
        assert_eq!(answer.status, if allowed { 200 } else { 403 }, "{origin}");
        if !allowed {
            assert_eq!(answer.code(), "ORIGIN_REFUSED");
            assert!(!answer.head.contains("access-control-allow-origin"), "{}", answer.head);
            let stream =
                request(relay.address, "POST", "/v1/stream", &format!("{forwarded}{origin}"), "").await;
            assert_eq!((stream.status, stream.code()), (403, "ORIGIN_REFUSED"));
            // The page can read the reason here. For a refused WebSocket, the browser hides it.
            let named = origin.lines().next().unwrap().replace("origin: ", "access-control-allow-origin: ");
            assert!(stream.head.contains(&named), "{}", stream.head);
        }
    }
    let tunnel = format!("{forwarded}origin: http://localhost:8001\r\n");
    let answer = request(relay.address, "POST", "/v1/publish", &tunnel, "").await;
    assert!(answer.text.contains("adds tunnel to the setting allowed_origins"), "{}", answer.text);
    // A browser on the relay's machine may load pages from that machine.
    let local = "origin: http://localhost:3000\r\n";
    assert_eq!(request(relay.address, "POST", "/v1/publish", local, "").await.status, 401);
    assert!(relay.log_with("ORIGIN_REFUSED").await.contains("remote=203.0.113.1"));
}

#[tokio::test]
async fn the_value_tunnel_of_allowed_origins_admits_pages_of_forge_tunnel() {
    let relay = RelayProcess::start(&["--proxy-terminates-tls", "--allowed-origins", "forge, tunnel"]);
    for (origin, status) in
        [("http://localhost:8001", 401), ("http://localhost:59999", 401), ("https://localhost:8001", 403)]
    {
        let headers = format!("x-forwarded-for: 203.0.113.1\r\norigin: {origin}\r\n");
        assert_eq!(
            request(relay.address, "POST", "/v1/publish", &headers, "").await.status,
            status,
            "{origin}"
        );
    }
}
