//! Presence: the page's own member, and the members that the relay reports.

mod entering;
mod opening;
mod signing;
mod verifying;
mod watching;

use crate::support::*;
use sealwire_client::{ClientError, EnterId, Event, Member, Notice, SubscriptionId};
use sealwire_protocol::{
    AuthorSignature, Code, Entry, EntryPlace, MemberId, Signature, UnixMillis,
    wire::{
        Presence, PresenceAccepted, PresenceEnter, PresenceEntry, PresenceLeave, PresenceUnwatch,
        PresenceWatch, ToClient, ToRelay,
    },
};

pub(crate) const ANNA: MemberId = [1; 16];
pub(crate) const BEN: MemberId = [2; 16];
pub(crate) const NAME: &str = "dashboard";
const MINUTE_MS: u64 = 60_000;

pub(crate) fn place(member: MemberId, number: u64) -> EntryPlace {
    EntryPlace { channel: channel_id(NAME), member, number }
}

/// Returns an entry of another page that is sealed now. Its data is the number.
pub(crate) fn entry(member: MemberId, number: u64) -> PresenceEntry {
    entry_sealed(1, member, number, TIME_MS.get())
}

pub(crate) fn entry_sealed(key_number: u8, member: MemberId, number: u64, sealed_at: u64) -> PresenceEntry {
    let content = Entry {
        sealed_at: UnixMillis(sealed_at),
        entered_at: UnixMillis(UNIX_START + u64::from(member[0])),
        account: "account".into(),
        data: number.to_string(),
        signature: None,
    };
    sealed_under(key_number, member, number, &content)
}

/// Returns an entry with this content.
pub(crate) fn sealed_entry(member: MemberId, number: u64, content: &Entry) -> PresenceEntry {
    sealed_under(1, member, number, content)
}

fn sealed_under(key_number: u8, member: MemberId, number: u64, content: &Entry) -> PresenceEntry {
    let scope = context();
    let key = key(key_number).scope_key(APP, INSTALLATION, &scope).channel_key(None, NAME);
    let sealed = place(member, number).seal(&key, [7; 24], content).into();
    PresenceEntry { member: member.to_vec().into(), number, sealed, in_grace: false }
}

/// The expiry of a certificate that no test outlives.
pub(crate) const LATER_MS: u64 = UNIX_START + 86_400_000;

/// Returns the content of an entry of `account` with the certificate of another account, which expires at `expires_at_ms`.
pub(crate) fn signed_content(account: &str, certified: &str, number: u64, expires_at_ms: u64) -> Entry {
    let signature = AuthorSignature {
        certificate: Some(certificate(certified, expires_at_ms)),
        signature: Signature([7; Signature::LEN]),
    };
    Entry {
        sealed_at: UnixMillis(TIME_MS.get()),
        entered_at: UnixMillis(UNIX_START),
        account: account.into(),
        data: number.to_string(),
        signature: Some(signature),
    }
}

/// Returns an entry of a page that signs.
pub(crate) fn signed_entry(account: &str, member: MemberId, number: u64) -> PresenceEntry {
    sealed_entry(member, number, &signed_content(account, account, number, LATER_MS))
}

pub(crate) fn message(
    version: u64,
    is_state: bool,
    entries: Vec<PresenceEntry>,
    left: &[MemberId],
) -> Presence {
    let left = left.iter().map(|id| id.to_vec().into()).collect();
    Presence { channel_id: channel_id(NAME).into(), version, is_state, more: false, entries, left }
}

impl Harness {
    /// Opens a presence, without an answer of the relay.
    pub(crate) fn open_presence(&mut self) -> SubscriptionId {
        let subscription = self.client.subscribe_presence(self.now(), channel(NAME), None, None);
        self.drain();
        subscription
    }

    /// Returns a connected client with an open presence, whose version is 1.
    pub(crate) fn present(members: Vec<PresenceEntry>) -> (Self, SubscriptionId) {
        let mut harness = Self::default();
        let subscription = harness.open_presence();
        harness.establish();
        harness.watched();
        harness.expect_subscribed(subscription);
        harness.state(1, members);
        harness.expect_members(&[subscription]);
        (harness, subscription)
    }

    pub(crate) fn expect_watch(&mut self) -> PresenceWatch {
        match self.sent.pop_front() {
            Some(ToRelay::PresenceWatch(watch)) => watch,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn expect_enter(&mut self) -> PresenceEnter {
        match self.sent.pop_front() {
            Some(ToRelay::PresenceEnter(enter)) => enter,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn expect_leave(&mut self) -> PresenceLeave {
        match self.sent.pop_front() {
            Some(ToRelay::PresenceLeave(leave)) => leave,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn expect_unwatch(&mut self) -> PresenceUnwatch {
        match self.sent.pop_front() {
            Some(ToRelay::PresenceUnwatch(unwatch)) => unwatch,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn accept(&mut self, request: u32) {
        let channel_id = channel_id(NAME).into();
        self.receive(ToClient::PresenceAccepted(PresenceAccepted { request, channel_id }));
    }

    /// Takes the client's `PresenceWatch` and accepts it.
    pub(crate) fn watched(&mut self) {
        let request = self.expect_watch().request;
        self.accept(request);
    }

    pub(crate) fn state(&mut self, version: u64, entries: Vec<PresenceEntry>) {
        self.receive(ToClient::Presence(message(version, true, entries, &[])));
    }

    pub(crate) fn changes(&mut self, version: u64, entries: Vec<PresenceEntry>, left: &[MemberId]) {
        self.receive(ToClient::Presence(message(version, false, entries, left)));
    }

    /// Takes an event with members: those that changed, and the ids of those that left.
    pub(crate) fn expect_members(&mut self, recipients: &[SubscriptionId]) -> (Vec<Member>, Vec<MemberId>) {
        match self.next_event() {
            Event::Members { subscriptions, changed, left } => {
                assert_eq!(subscriptions, recipients);
                (changed, left)
            }
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn enter(&mut self, subscription: SubscriptionId, data: &str) -> EnterId {
        let enter = self.client.enter(self.now(), subscription, data.into(), false);
        self.drain();
        enter
    }

    pub(crate) fn leave(&mut self, subscription: SubscriptionId) -> EnterId {
        let enter = self.client.leave(self.now(), subscription);
        self.drain();
        enter
    }

    pub(crate) fn expect_entered(&mut self, expected: EnterId) {
        assert_eq!(self.next_event(), Event::EnterDone { enter: expected, result: Ok(()) });
    }

    pub(crate) fn expect_enter_error(&mut self, expected: EnterId) -> ClientError {
        match self.next_event() {
            Event::EnterDone { enter, result: Err(error) } if enter == expected => error,
            other => panic!("{other:?}"),
        }
    }

    /// Takes the error of a refused entry, and returns its code.
    pub(crate) fn expect_refusal(&mut self, recipient: SubscriptionId) -> &'static str {
        match self.expect_notice(&[recipient]) {
            Notice::Error(error) => error.code.name(),
            other => panic!("{other:?}"),
        }
    }

    /// Enters, and returns the entry that the relay accepted.
    pub(crate) fn entered(&mut self, subscription: SubscriptionId, data: &str) -> PresenceEnter {
        let call = self.enter(subscription, data);
        let enter = self.expect_enter();
        self.accept(enter.request);
        self.expect_entered(call);
        enter
    }

    /// Loses the connection, and makes the next one up to the `Welcome`.
    pub(crate) fn reconnect(&mut self) {
        self.cut(None);
        self.advance_to_attempt();
        self.establish();
        self.forget_states();
    }

    /// Lets time pass on a healthy connection, and answers requests for sessions, refreshes and `Ping`.
    pub(crate) fn pass_healthy(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        while self.now_ms < end {
            self.advance(1_000.min(end - self.now_ms));
            if let Some(at) =
                self.events.iter().position(|event| matches!(event, Event::SessionRequested { .. }))
                && let Some(Event::SessionRequested { fetch, .. }) = self.events.remove(at)
            {
                self.provide(fetch, &[1]);
            }
            self.ping();
            let mut others = std::collections::VecDeque::new();
            while let Some(sent) = self.sent.pop_front() {
                match sent {
                    ToRelay::Refresh(refresh) => self.refreshed(refresh.request),
                    ToRelay::Pong(_) => {}
                    other => others.push_back(other),
                }
            }
            self.sent = others;
        }
    }
}

/// Returns the content of an entry that the client sealed.
pub(crate) fn content(enter: &PresenceEnter) -> Entry {
    let scope = context();
    let key = key(1).scope_key(APP, INSTALLATION, &scope).channel_key(None, NAME);
    let member = MemberId::try_from(&enter.member[..]).unwrap();
    let sealed = sealwire_protocol::SealedMessage::parse(&enter.sealed).unwrap();
    place(member, enter.number).open(&sealed, &key).unwrap()
}

/// Returns the entry as the relay reports it.
pub(crate) fn reported(enter: &PresenceEnter) -> PresenceEntry {
    PresenceEntry {
        member: enter.member.clone(),
        number: enter.number,
        sealed: enter.sealed.clone(),
        in_grace: false,
    }
}

pub(crate) fn data(members: &[Member]) -> Vec<&str> {
    members.iter().map(|member| member.data.as_str()).collect()
}
