//! A relay that lies. Each test tells one lie about genuine messages of genuine clients, and states everything that the app
//! then sees. The table of lies in docs/security.md names these tests.

mod answers;
mod contents;
mod delivery;
mod frames;
mod positions;
mod presence;
mod requests;

use crate::support::*;
use sealwire_client::{Event, Notice, PublishId, SessionReason, SubscriptionId};
use sealwire_protocol::{
    Code,
    wire::{Publication, Publish, Subscribed, ToClient, ToRelay, Welcome},
};

/// The offset at which the relay confirms every first subscription.
const START: u64 = 10;
const DAY_MS: u64 = 24 * 3_600_000;

/// A page that publishes on the channel, and the publications that it made.
struct Sender {
    page: Harness,
    offset: u64,
}

impl Sender {
    fn new(seed: u64) -> Self {
        let (page, _) = Harness::seeded(seed).joined("absences");
        Self { page, offset: START }
    }

    /// Publishes a message, which the relay has not answered yet.
    fn publish(&mut self, payload: &str) -> (PublishId, Publish) {
        let publish = self.page.publish("absences", payload);
        (publish, self.page.expect_publish())
    }

    fn acknowledge(&mut self, publish: &Publish) {
        self.offset += 1;
        self.page.acknowledge(publish, self.offset);
    }

    /// Publishes a message, which the relay acknowledges. Returns its sealed bytes.
    fn send(&mut self, payload: &str) -> Vec<u8> {
        let (_, publish) = self.publish(payload);
        self.acknowledge(&publish);
        publish.sealed.to_vec()
    }

    /// Lets time pass until the machine's clock shows `now_ms`, then publishes.
    fn send_at(&mut self, now_ms: u64, payload: &str) -> Vec<u8> {
        self.page.pass(now_ms.saturating_sub(self.page.now_ms));
        self.page.forget_states();
        self.send(payload)
    }
}

/// A page that receives, and six acknowledged messages of one sender with the payloads 1 to 6.
struct Scene {
    sender: Sender,
    messages: Vec<Vec<u8>>,
    page: Harness,
    subscription: SubscriptionId,
    /// The offset of the last publication.
    offset: u64,
}

impl Scene {
    fn new() -> Self {
        Self::opened_after(0)
    }

    /// Opens the receiving page this long after the sender published.
    fn opened_after(ms: u64) -> Self {
        let mut sender = Sender::new(2);
        let messages = (1..=6).map(|number| sender.send(&number.to_string())).collect();
        let mut page = Harness::default();
        page.now_ms += ms;
        let (page, subscription) = page.joined("absences");
        Self { sender, messages, page, subscription, offset: START }
    }

    /// Returns the message with this payload.
    fn message(&self, number: usize) -> Vec<u8> {
        self.messages[number - 1].clone()
    }

    /// Delivers sealed bytes without a hole in the offsets.
    fn deliver(&mut self, sealed: &[u8]) {
        self.offset += 1;
        self.page.receive(publication_of(self.offset, self.offset - 1, sealed));
    }

    /// Delivers these messages of the sender without a hole in the offsets.
    fn relay(&mut self, numbers: &[usize]) {
        for number in numbers {
            self.deliver(&self.message(*number));
        }
    }

    /// Connects the receiving page again. The relay claims that nothing was published in the meantime.
    fn resume(&mut self) {
        self.page.cut(None);
        self.page.advance_to_attempt();
        self.page.establish();
        self.page.confirm("absences", self.offset);
    }

    /// Checks everything that the app sees, and that the connection lasts.
    fn app_sees(&mut self, expected: &[&str]) {
        assert_eq!(self.page.app_sees(), expected);
        assert_eq!(self.page.disconnects, [0; 0]);
    }
}

impl Harness {
    /// Connects, and confirms a subscription.
    fn joined(mut self, name: &str) -> (Self, SubscriptionId) {
        let subscription = self.subscribe(name);
        self.establish();
        self.confirm(name, START);
        self.expect_subscribed(subscription);
        self.forget_states();
        (self, subscription)
    }

    /// Lets time pass on a healthy connection, and answers each request for a session and each refresh.
    fn pass(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        while self.now_ms < end {
            self.advance(1_000.min(end - self.now_ms));
            self.ping();
            self.answer_session();
        }
    }

    /// Answers a request for a session and a refresh, if there are any. Drops everything else that the client sent. Returns
    /// true if the client requested a session.
    fn answer_session(&mut self) -> bool {
        let index = self.events.iter().position(|event| matches!(event, Event::SessionRequested { .. }));
        let requested = index.and_then(|index| self.events.remove(index));
        if let Some(Event::SessionRequested { fetch, .. }) = &requested {
            let fetch = *fetch;
            self.provide(fetch, &[1]);
        }
        while let Some(sent) = self.sent.pop_front() {
            if let ToRelay::Refresh(refresh) = sent {
                self.refreshed(refresh.request);
            }
        }
        requested.is_some()
    }

    /// Takes what the app saw: payloads, and in capitals the codes of errors and the reasons of gaps.
    fn app_sees(&mut self) -> Vec<String> {
        self.answer_session();
        self.forget_states();
        self.events.drain(..).map(|event| seen(&event)).collect()
    }
}

fn seen(event: &Event) -> String {
    match event {
        Event::Message { message, .. } => message.payload.clone(),
        Event::Notice { notice: Notice::Gap(gap), .. } => format!("GAP {:?}", gap.reason),
        Event::Notice { notice: Notice::Error(error), .. } => error.code.name().into(),
        Event::Notice { notice: Notice::Ended(error), .. } => format!("ended: {}", error.code.name()),
        Event::PublishDone { result: Ok(receipt), .. } => format!("published at {}", receipt.position.offset),
        Event::PublishDone { result: Err(error), .. } => format!("not published: {}", error.code.name()),
        Event::SubscribeDone { result: Ok(()), .. } => "subscribed".into(),
        Event::SubscribeDone { result: Err(error), .. } => format!("not subscribed: {}", error.code.name()),
        other => format!("{other:?}"),
    }
}

fn publication_of(offset: u64, previous_offset: u64, sealed: &[u8]) -> ToClient {
    ToClient::Publication(Publication {
        channel_id: channel_id("absences").into(),
        offset,
        previous_offset,
        time_ms: UNIX_START,
        event: String::new(),
        sealed: sealed.to_vec().into(),
    })
}

fn honest_welcome() -> Welcome {
    Welcome {
        max_frame: 144 * 1024,
        max_subscriptions: 256,
        heartbeat_ms: u32::try_from(HEARTBEAT_MS).unwrap(),
        replay_window_ms: 120_000,
        expires_at: UNIX_START / 1000 + SESSION_SECONDS,
        now_ms: UNIX_START,
    }
}

/// Connects a page with a subscription, up to its `Hello`.
fn greeted() -> (Harness, SubscriptionId) {
    let mut page = Harness::default();
    let subscription = page.subscribe("absences");
    greet(&mut page);
    (page, subscription)
}

fn greet(page: &mut Harness) {
    let fetch = page.expect_session_request(SessionReason::Connect);
    page.provide(fetch, &[1]);
    page.open();
    assert!(matches!(page.sent.pop_front(), Some(ToRelay::Hello(_))));
}
