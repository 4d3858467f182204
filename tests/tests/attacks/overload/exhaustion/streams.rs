//! Attacks through the SSE transport.

use super::Span;
use crate::target::Target;
use std::{net::Ipv4Addr, thread::sleep, time::Duration};

const OPEN: &str = "POST /v1/stream HTTP/1.1\r\nhost: relay\r\norigin: https://page.cdn.prod.atlassian-dev.net\r\n\
                    content-length: 0\r\n\r\n";

/// One address opens up to 3,000 streams and never opens a session on them.
pub(super) fn open_many(target: &Target, span: &Span) {
    keep_open(target, span, Ipv4Addr::new(127, 0, 0, 7), 3000);
}

/// Clients with closed receive windows open streams behind other requests, so that the relay cannot write its responses.
pub(super) fn read_nothing(target: &Target, span: &Span) {
    let mut sockets: Vec<_> = (0..40).map(|_| target.connect_narrow()).collect();
    let again = "GET /v1/openapi.json HTTP/1.1\r\nhost: relay\r\n\r\n".repeat(20);
    for socket in &mut sockets {
        socket.set_write_timeout(Duration::from_millis(200));
        socket.send(again.as_bytes());
        socket.send(OPEN.as_bytes());
    }
    span.wait();
}

fn keep_open(target: &Target, span: &Span, address: Ipv4Addr, max: usize) {
    let mut sockets = Vec::new();
    while !span.is_over() {
        match target.try_connect_from(address) {
            Some(mut socket) if sockets.len() < max => {
                socket.send(OPEN.as_bytes());
                sockets.push(socket);
            }
            _ => {
                // The hello deadline and the relay's refusals end connections, which are then opened again.
                sockets.retain_mut(|socket| socket.discard(Duration::from_millis(1)));
                sleep(Duration::from_millis(50));
            }
        }
    }
}
