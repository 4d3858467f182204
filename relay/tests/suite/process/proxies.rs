//! The address of a client behind proxies, in the audit log and for the limits per address.

use crate::support::{Certificate, Client, RelayProcess, TLS13, request, request_over};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

const REQUEST: &[u8] = b"GET /v1/realtime HTTP/1.1\r\nhost: r\r\nconnection: close\r\n\r\n";
const LINE: &[u8] = b"PROXY TCP4 203.0.113.9 10.0.0.1 54321 443\r\n";

fn binary() -> Vec<u8> {
    [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".as_slice(), &[203, 0, 113, 8, 10, 0, 0, 1, 0, 1, 0, 2]].concat()
}

#[tokio::test]
async fn a_forwarded_address_counts_only_from_trusted_proxies() {
    let forwarded = "x-forwarded-for: 192.0.2.66, 198.51.100.7, 10.1.2.3\r\n";
    for (trusted, remote) in
        [("127.0.0.1, 10.0.0.0/8", "198.51.100.7"), ("127.0.0.0/8", "10.1.2.3"), ("10.0.0.0/8", "127.0.0.1")]
    {
        let relay = RelayProcess::start(&["--proxy-terminates-tls", "--trusted-proxies", trusted]);
        request(relay.address, "GET", "/v1/realtime", forwarded, "").await;
        let log = relay.log_with("MALFORMED_REQUEST").await;
        assert!(log.contains(&format!("remote={remote}")), "{trusted}: {log}");
    }
}

#[tokio::test]
async fn the_proxy_protocol_header_determines_the_address_of_the_client() {
    let relay = RelayProcess::start(&["--trusted-proxies", "127.0.0.1", "--proxy-protocol"]);
    for (header, remote) in [(LINE.to_vec(), "203.0.113.9"), (binary(), "203.0.113.8")] {
        let mut stream = TcpStream::connect(relay.address).await.unwrap();
        stream.write_all(&header).await.unwrap();
        request_over(stream, REQUEST).await;
        relay.log_with(&format!("remote={remote}")).await;
        // The address that the client claims for itself is ignored.
        let mut stream = TcpStream::connect(relay.address).await.unwrap();
        stream.write_all(&header).await.unwrap();
        let mut client = Client::over(stream, &[("x-forwarded-for", "192.0.2.66")]).await.unwrap();
        client.refused_hello("no token".into(), sealwire_protocol::Code::TokenMalformed).await;
    }
    relay.log_with("TOKEN_MALFORMED").await;
    assert!(!relay.log().contains("192.0.2.66"), "{}", relay.log());
}

#[tokio::test]
async fn a_trusted_proxy_without_a_proxy_protocol_header_is_not_served() {
    let flags =
        ["--trusted-proxies", "127.0.0.1", "--proxy-protocol", "--header-timeout", "200ms", "--log", "debug"];
    let relay = RelayProcess::start(&flags);
    for bytes in [REQUEST, b"PROXY TCP4 203.0.113.9", b""] {
        let mut stream = TcpStream::connect(relay.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer))
            .await
            .expect("the relay did not close the connection");
        assert_eq!(answer, b"", "{}", bytes.escape_ascii());
    }
    relay.log_with("does not begin with a header of the PROXY protocol").await;
    relay.log_with("did not arrive within header_timeout").await;
}

#[tokio::test]
async fn only_a_trusted_proxy_can_send_the_proxy_protocol_header() {
    let relay = RelayProcess::start(&["--trusted-proxies", "10.0.0.0/8", "--proxy-protocol"]);
    let stream = TcpStream::connect(relay.address).await.unwrap();
    assert_eq!(request_over(stream, &[LINE, REQUEST].concat()).await.status, 400);
    let stream = TcpStream::connect(relay.address).await.unwrap();
    request_over(stream, REQUEST).await;
    let log = relay.log_with("MALFORMED_REQUEST").await;
    assert!(log.contains("remote=127.0.0.1") && !log.contains("203.0.113.9"), "{log}");
}

#[tokio::test]
async fn the_proxy_protocol_header_precedes_tls() {
    let certificate = Certificate::new();
    let settings = "proxy_protocol = true\ntrusted_proxies = [\"10.0.0.0/8\", \"127.0.0.1\"]";
    let relay = RelayProcess::start_tls(&certificate, settings, &[]);
    for header in [LINE.to_vec(), binary()] {
        let mut stream = TcpStream::connect(relay.address).await.unwrap();
        stream.write_all(&header).await.unwrap();
        let stream = certificate.connect_over(stream, &TLS13).await.unwrap();
        let mut client = Client::over(stream, &[]).await.unwrap();
        client.refused_hello("no token".into(), sealwire_protocol::Code::TokenMalformed).await;
    }
    relay.log_with("remote=203.0.113.9").await;
    relay.log_with("remote=203.0.113.8").await;
}
