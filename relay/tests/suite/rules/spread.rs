//! The reconnect delays of sessions that end at the same time.

use super::session::{HEARTBEAT, HELLO_TIMEOUT, START, Session};
use crate::support::{APP, INSTALLATION};
use sealwire_protocol::{
    Code, Scope, UnixSeconds,
    tokens::{Keyring, Permissions},
};
use sealwire_relay::{EndReason, Selector};

const SESSIONS: u32 = 1000;

/// Returns a jitter like that of the `number`th consecutive connection.
fn jitter(number: u32) -> u32 {
    number.wrapping_mul(0x9e37_79b9) >> 8
}

/// Returns the maximum number of times within any half second.
fn most_in_half_a_second(mut times: Vec<u32>) -> usize {
    times.sort_unstable();
    let within = |(first, at): (usize, &u32)| times[first..].partition_point(|other| other - at < 500);
    times.iter().enumerate().map(within).max().unwrap_or(0)
}

#[test]
fn sessions_that_end_together_reconnect_spread_over_three_seconds() {
    type Ending = (Code, fn(&mut Session));
    let endings: [Ending; 6] = [
        (Code::ShuttingDown, |session| session.rules.handle_end(EndReason::ShuttingDown)),
        (Code::SlowConsumer, |session| session.rules.handle_end(EndReason::SlowConsumer)),
        (Code::HelloTimeout, |session| {
            *session = Session::with_jitter(session.jitter);
            session.pass(HELLO_TIMEOUT);
        }),
        (Code::HeartbeatTimeout, |session| session.pass(2 * HEARTBEAT)),
        (Code::TokenUnknownKey, |session| {
            session.keys.replace(Keyring::default());
            session.rules.handle_keys_removed();
        }),
        (Code::Revoked, |session| {
            let selector = Selector { account: Some("alice".into()), context: Scope::default() };
            let before = UnixSeconds(START + 1);
            session.revocations.add(APP, INSTALLATION, &selector, before, session.now).unwrap();
            session.rules.handle_revocations(session.now);
        }),
    ];
    for (code, end) in endings {
        let times: Vec<u32> = (0..SESSIONS)
            .map(|number| {
                let mut session = Session::with_jitter(jitter(number));
                session.hello(Permissions::ALL, 600);
                end(&mut session);
                session.act();
                session.must_end(code).reconnect_after_ms
            })
            .collect();
        // An even distribution would have 167.
        let most = most_in_half_a_second(times.clone());
        assert!(most <= 200, "{code:?}: {most}");
        assert!(times.iter().all(|time| (500..6_500).contains(time)), "{code:?}");
    }
}
