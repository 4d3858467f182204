//! `POST /console/lookup`: the sessions of an account, and the reasons for which it was refused.

use super::{Console, party, snapshot::Event};
use crate::{
    audit::Subject,
    auth::{
        access::Namespace,
        revocations::{Seen, Subject as TokenSubject},
    },
    connection::Outbound,
    http,
    memory::{Holder as _, ShedClass},
    session::Identity,
};
use sealwire_protocol::UnixSeconds;
use serde::Serialize;
use std::{collections::HashSet, ptr};
use warp::{http::StatusCode, reply::Response};

/// The number of refusals and ends that are returned.
const MAX_EVENTS: usize = 50;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    /// The hashes under which the console shows the party.
    installation: String,
    account: Option<String>,
    /// The open sessions at this relay.
    sessions: usize,
    /// The connections that carry them.
    connections: usize,
    /// The bytes that wait for these connections.
    waiting_bytes: usize,
    /// The longest time for which one of them has read nothing although bytes wait, in milliseconds.
    stalled_ms: u32,
    /// The sessions that the other relays of the cluster reported, which leave out small numbers.
    sessions_elsewhere: Option<usize>,
    /// The maximum number of sessions.
    max_sessions: usize,
    /// Tokens issued before this time are refused, in seconds since 1970; `None` without a revocation.
    revoked_before: Option<u64>,
    /// The refused attempts and ended sessions, the latest first.
    events: Vec<Event>,
}

pub(super) fn look_up(console: &Console, body: &[u8]) -> Response {
    match party::read(console, body) {
        Ok(party) => http::json(StatusCode::OK, &Found::of(console, &party)),
        Err(error) => error.into(),
    }
}

impl Found {
    fn of(console: &Console, party: &Identity) -> Self {
        let http = &console.http;
        let subject = http.audit.subject(party);
        let account = party
            .account
            .as_ref()
            .map(|account| http.limits.account(&party.app, &party.installation, account));
        let settings = http.limits.settings();
        let mut found = Self {
            installation: console.hashes.installation(subject.installation),
            account: console.hashes.account(subject),
            sessions: 0,
            connections: 0,
            waiting_bytes: 0,
            stalled_ms: 0,
            sessions_elsewhere: http.limits.sessions_elsewhere(account.unwrap_or(subject.installation)),
            max_sessions: match account {
                Some(_) => settings.max_sessions_per_account,
                None => settings.max_sessions_per_installation,
            },
            revoked_before: revoked_before(console, party),
            events: events(console, subject),
        };
        found.count_sessions(console, subject.installation, account);
        found
    }

    fn count_sessions(&mut self, console: &Console, installation: u64, account: Option<u64>) {
        let sessions = console.http.connection.registry.sessions();
        let (mut seen, mut next) = (HashSet::new(), Some(0));
        while let Some(first) = next {
            let connections;
            (connections, next) = sessions.connections_of(installation, account, first);
            for connection in connections {
                self.sessions += 1;
                if seen.insert(ptr::from_ref(&*connection).addr()) {
                    self.add_connection(&connection);
                }
            }
        }
    }

    fn add_connection(&mut self, connection: &Outbound) {
        self.connections += 1;
        if let ShedClass::Backlogged { stalled, bytes } = connection.shed_class() {
            self.waiting_bytes += bytes;
            self.stalled_ms = self.stalled_ms.max(stalled);
        }
    }
}

/// Returns the recent events of an account, or of all accounts of an installation.
fn events(console: &Console, subject: Subject) -> Vec<Event> {
    let is_about = |other: Subject| {
        other.installation == subject.installation
            && (subject.account.is_none() || other.account == subject.account)
    };
    let recent = console.http.audit.recent().latest(MAX_EVENTS, |entry| entry.subject.is_some_and(is_about));
    recent.iter().map(|entry| Event::of(console, entry)).collect()
}

/// Returns the end of the latest revocation of every token of a party. Revocations of a context are left out, because they
/// cover some of its tokens only.
fn revoked_before(console: &Console, Identity { app, installation, account }: &Identity) -> Option<u64> {
    let subject = TokenSubject {
        namespace: Namespace { app, installation },
        account: account.as_deref().unwrap_or_default(),
        context: &|_| {},
        issued_at: UnixSeconds(0),
    };
    let revoked = console.http.revocations.check(&subject, Seen::default()).err()?;
    Some(revoked.before().0)
}
