//! Absurd figures and refusals with which a relay could make a page stop, or flood the app's backend.

use super::*;
use crate::{renewing, tokens};
use sealwire_client::State;
use sealwire_protocol::wire::{Refreshed, Welcome};

const MINUTE_MS: u64 = 60_000;

#[test]
fn absurd_figures_in_a_welcome_neither_stop_delivery_nor_flood_the_apps_backend() {
    let honest = honest_welcome();
    let absurd = [
        ("no figures", Welcome::default()),
        ("tiny frames", Welcome { max_frame: 1, ..honest }),
        ("huge frames", Welcome { max_frame: u32::MAX, ..honest }),
        ("no heartbeat", Welcome { heartbeat_ms: 0, ..honest }),
        ("frantic heartbeat", Welcome { heartbeat_ms: 1, ..honest }),
        ("no more heartbeat", Welcome { heartbeat_ms: u32::MAX, ..honest }),
        ("a session that has ended", Welcome { expires_at: 0, ..honest }),
        ("a session without an end", Welcome { expires_at: u64::MAX, ..honest }),
        ("a clock at zero", Welcome { now_ms: 0, ..honest }),
        ("a clock at the end", Welcome { now_ms: u64::MAX, ..honest }),
    ];
    for (what, welcome) in absurd {
        let messages = Scene::new().messages;
        let (mut page, subscription) = greeted();
        page.receive(ToClient::Welcome(welcome));
        page.confirm("absences", START);
        page.expect_subscribed(subscription);
        page.receive(publication_of(START + 1, START, &messages[0]));
        assert_eq!(page.app_sees(), ["1"], "{what}");
        let requests = session_requests(&mut page, welcome.expires_at);
        assert!(requests <= 60, "{what}: {requests} sessions in a minute");
        assert_eq!(page.disconnects, [0; 0], "{what}");
        must_recover(&mut page, &messages, what);
    }
}

/// Counts the sessions that a page requests within a minute, if the relay answers each `Refresh` with this expiry.
fn session_requests(page: &mut Harness, expires_at: u64) -> usize {
    let (end, mut requests) = (page.now_ms + MINUTE_MS, 0);
    while page.now_ms < end {
        page.advance(10);
        page.ping();
        let refreshes: Vec<u32> = page.sent.drain(..).filter_map(refresh_request).collect();
        for request in refreshes {
            page.receive(ToClient::Refreshed(Refreshed { request, expires_at }));
        }
        requests += usize::from(provide_session(page));
    }
    requests
}

fn refresh_request(sent: ToRelay) -> Option<u32> {
    if let ToRelay::Refresh(refresh) = sent { Some(refresh.request) } else { None }
}

/// Answers a request for a session. Returns false if there is none.
fn provide_session(page: &mut Harness) -> bool {
    let index = page.events.iter().position(|event| matches!(event, Event::SessionRequested { .. }));
    let Some(Event::SessionRequested { fetch, .. }) = index.and_then(|index| page.events.remove(index))
    else {
        return false;
    };
    page.provide(fetch, &[1]);
    true
}

#[test]
fn a_relay_that_calls_every_session_expired_does_not_make_a_page_request_sessions_constantly() {
    let (mut page, _) = greeted();
    let (end, mut requests) = (page.now_ms + MINUTE_MS, 0);
    page.receive(ToClient::Welcome(honest_welcome()));
    while page.now_ms < end {
        if page.client.state() == State::Connected {
            page.goodbye(Code::TokenExpired, 0);
        } else if page.connection.is_some() {
            page.open();
            page.receive(ToClient::Welcome(honest_welcome()));
        }
        page.sent.clear();
        page.advance(10);
        requests += usize::from(provide_session(&mut page));
    }
    assert!((2..=60).contains(&requests), "{requests} sessions in a minute");
}

/// Checks that a page works as ever once it reaches an honest relay.
fn must_recover(page: &mut Harness, messages: &[Vec<u8>], what: &str) {
    page.cut(None);
    for _ in 0..100 {
        page.advance(100);
        provide_session(page);
        if page.connection.is_some() {
            break;
        }
    }
    page.establish();
    page.confirm("absences", START + 1);
    page.receive(publication_of(START + 2, START + 1, &messages[1]));
    assert_eq!(page.app_sees(), ["2"], "{what}");
    page.pass(MINUTE_MS);
    assert_eq!(page.app_sees(), [""; 0], "{what}");
}

#[test]
fn a_false_clock_of_the_relay_does_not_make_a_page_request_channel_tokens_constantly() {
    for now_ms in [0, u64::MAX] {
        let mut page = Harness::default();
        let first = renewing::fresh(&page);
        let subscription = page.subscribe_with(tokens::private(&first), None);
        page.client.enable_token_renewal(page.now(), subscription);
        greet(&mut page);
        page.receive(ToClient::Welcome(Welcome { now_ms, ..honest_welcome() }));
        tokens::confirm(&mut page, "{}");
        page.expect_subscribed(subscription);
        let (end, mut requests) = (page.now_ms + MINUTE_MS, 0);
        while page.now_ms < end {
            page.advance(10);
            page.ping();
            page.answer_session();
            if let Some(renewal) = renewing::requested(&mut page) {
                requests += 1;
                let next = renewing::fresh(&page);
                renewing::provide(&mut page, renewal, &next);
            }
        }
        assert!(requests <= 60, "{requests} channel tokens in a minute");
        assert_eq!(page.app_sees(), [""; 0]);
    }
}
