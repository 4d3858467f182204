//! Requests that are never completed.

use super::*;

pub(super) const CASES: &[Case] = &[
    slow("http-slow-head", |target| {
        let mut socket = RawSocket::connect(target.port);
        let start = Instant::now();
        socket.send(b"GET /healthz HTTP/1.1\r\n");
        while start.elapsed() < Duration::from_secs(25) && socket.send(b"x: y\r\n") {
            sleep(Duration::from_millis(250));
        }
        assert!(start.elapsed() < Duration::from_secs(20), "the relay keeps reading a head that never ends");
    }),
    slow("http-slow-body", |target| {
        let mut socket = RawSocket::connect(target.port);
        let start = Instant::now();
        socket.send(head(target, "content-length: 1000").as_bytes());
        while start.elapsed() < Duration::from_secs(40) && socket.send(b" ") {
            sleep(Duration::from_millis(250));
        }
        let answer = socket.text();
        assert!(start.elapsed() < Duration::from_secs(30), "the relay keeps reading a body that never ends");
        assert!(answer.is_empty() || status(&answer) == "408", "{answer}");
    }),
    slow("http-silent-connection", |target| {
        let mut socket = RawSocket::connect(target.port);
        let start = Instant::now();
        let answer = socket.text();
        assert!(answer.is_empty() || status(&answer) == "408", "{answer}");
        assert!(start.elapsed() < Duration::from_secs(25));
    }),
];
