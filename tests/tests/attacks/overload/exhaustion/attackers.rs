//! The attackers: clients of one account, or without a token, that repeat one request as fast as the relay answers.

use super::{Attack, Span, streams};
use crate::target::{Target, channel, context, random};
use sealwire_protocol::{
    limits,
    wire::{Hello, Session, Since, Subscribe, ToRelay, Unsubscribe},
};
use sealwire_tests::{RawSocket, frame, upgrade_request};
use std::{
    net::Ipv4Addr,
    thread::{scope, sleep},
    time::Duration,
};

pub(crate) const ATTACKS: &[Attack] = &[
    Attack { name: "exhaust-replay", run: replay },
    Attack { name: "exhaust-joins", run: subscriptions },
    Attack { name: "exhaust-answers", run: unread_responses },
    Attack { name: "exhaust-filters", run: filters },
    Attack { name: "exhaust-streams", run: streams::open_many },
    Attack { name: "exhaust-unread-streams", run: streams::read_nothing },
    Attack { name: "exhaust-disconnects", run: disconnects },
    Attack { name: "exhaust-handshakes", run: handshakes },
    Attack { name: "exhaust-log", run: log },
];

/// The pause before a retry, after the relay ended or refused a connection.
const RETRY_PAUSE: Duration = Duration::from_millis(20);
/// The longest wait for a relay that does not read.
const WRITE_TIMEOUT: Duration = Duration::from_millis(200);

/// Repeats `act` until the end of the attack. `act` returns false if the relay ended or refused its connection.
fn repeat(span: &Span, mut act: impl FnMut() -> bool) {
    while !span.is_over() {
        if !act() {
            sleep(RETRY_PAUSE);
        }
    }
}

fn session(target: &Target, account: &str) -> Option<RawSocket> {
    let mut socket = RawSocket::try_open(target.port, &target.victim.session(account, &context(), 600))?;
    socket.set_write_timeout(WRITE_TIMEOUT);
    Some(socket)
}

fn subscribe(request: u32, name: &str, since: Option<Since>, events: Vec<String>) -> Vec<u8> {
    let message = ToRelay::Subscribe(Subscribe { request, channel: Some(channel(name)), since, events });
    frame(0x82, &message.to_bytes())
}

/// Three readers request the whole replay of a full channel repeatedly, and read it as fast as they can.
fn replay(target: &Target, span: &Span) {
    if let Some(mut writer) = session(target, "hoarder") {
        for _ in 0..150 {
            let message = writer.publication(channel("hoard"), vec![1; 100 * 1024], random());
            writer.send_message(&message);
            writer.discard(Duration::from_millis(1));
        }
    }
    let since = Some(Since::ReplaySeconds(limits::MAX_REPLAY_SECONDS));
    let burst: Vec<u8> = (1..=50).flat_map(|request| subscribe(request, "hoard", since, vec![])).collect();
    scope(|threads| {
        for reader in ["greedy-1", "greedy-2", "greedy-3"] {
            let burst = &burst;
            threads.spawn(move || {
                repeat(span, || {
                    let Some(mut socket) = session(target, reader) else { return false };
                    while !span.is_over() {
                        if !socket.send(burst) || !socket.discard_for(Duration::from_millis(20)) {
                            return false;
                        }
                    }
                    true
                });
            });
        }
    });
}

/// A session subscribes to a channel and unsubscribes as fast as the relay answers.
fn subscriptions(target: &Target, span: &Span) {
    let channel_id = target.victim.channel_id(&context(), "revolving");
    let leave = ToRelay::Unsubscribe(Unsubscribe { request: 2, channel_id: channel_id.into() });
    let round =
        [subscribe(1, "revolving", None, vec![]), frame(0x82, &leave.to_bytes())].concat().repeat(100);
    repeat(span, || {
        let Some(mut socket) = session(target, "revolving") else { return false };
        while !span.is_over() {
            if !socket.send(&round) || !socket.discard_for(Duration::from_millis(10)) {
                return false;
            }
        }
        true
    });
}

/// Clients send requests without a token in one piece and read none of the responses.
fn unread_responses(target: &Target, span: &Span) {
    let requests = "GET /v1/openapi.json HTTP/1.1\r\nhost: relay\r\n\r\n".repeat(500);
    let mut sockets: Vec<_> = (0..60).map(|_| target.connect_narrow()).collect();
    for socket in &mut sockets {
        socket.set_write_timeout(WRITE_TIMEOUT);
        socket.send(requests.as_bytes());
    }
    span.wait();
}

/// One account opens as many sessions as it may, with subscriptions whose filters have the maximum size.
fn filters(target: &Target, span: &Span) {
    let events: Vec<String> = (0..limits::MAX_EVENT_FILTERS)
        .map(|number| format!("{number:x<width$}", width = limits::MAX_EVENT_NAME))
        .collect();
    let token = target.victim.session("filters", &context(), 600);
    let mut sockets = Vec::new();
    repeat(span, || {
        let Some(mut socket) = session(target, "filters") else { return false };
        for number in 0..limits::MAX_SESSIONS as u32 {
            if number > 0 {
                socket.send_message(&ToRelay::Session(Session { number }));
                socket.send_message(&ToRelay::Hello(Hello { token: token.clone() }));
            }
            for request in 1..=limits::MAX_SUBSCRIPTIONS as u32 {
                let name = format!("filtered-{request}");
                if span.is_over() || !socket.send(&subscribe(request, &name, None, events.clone())) {
                    return false;
                }
                if request.is_multiple_of(16) && !socket.discard(Duration::from_millis(1)) {
                    return false;
                }
            }
            if !socket.discard_for(Duration::from_millis(5)) {
                return false;
            }
        }
        sockets.push(socket);
        true
    });
}

/// An app disconnects an account that has no session.
fn disconnects(target: &Target, span: &Span) {
    let body = r#"{"account":"nobody"}"#;
    let request = format!(
        "POST /v1/disconnect HTTP/1.1\r\nhost: relay\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        target.stranger.backend(),
        body.len()
    );
    requests_in_a_row(target, span, &request, 10);
}

/// Requests are refused, and each refusal is logged.
fn log(target: &Target, span: &Span) {
    let request = "POST /v1/publish HTTP/1.1\r\nhost: relay\r\nauthorization: Bearer x.y.z\r\n\
                   content-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    requests_in_a_row(target, span, request, 10);
}

/// Sends bursts of `count` requests over one connection, as fast as the relay answers.
fn requests_in_a_row(target: &Target, span: &Span, request: &str, count: usize) {
    let requests = request.repeat(count);
    repeat(span, || {
        let Some(mut socket) = RawSocket::try_connect(target.port) else { return false };
        socket.set_write_timeout(WRITE_TIMEOUT);
        while !span.is_over() {
            if !socket.send(requests.as_bytes()) {
                return false;
            }
            for _ in 0..count {
                if socket.try_response().is_none() {
                    return false;
                }
            }
        }
        true
    });
}

/// One address begins opening handshakes with long heads and never completes them.
fn handshakes(target: &Target, span: &Span) {
    let address = Ipv4Addr::new(127, 0, 0, 6);
    let head = upgrade_request(&format!("x-padding: {}\r\n", "x".repeat(12 * 1024)));
    let mut sockets = Vec::new();
    repeat(span, || {
        let Some(mut socket) = target.try_connect_from(address) else { return false };
        socket.send(&head[..head.len() - 2]);
        sockets.push(socket);
        if sockets.len() == 1000 {
            sockets.drain(..500);
        }
        sleep(Duration::from_millis(1));
        true
    });
}
