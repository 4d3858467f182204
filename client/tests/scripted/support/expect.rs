//! Expectations of the client's next output, and scripted answers of the relay.

use super::{fixtures::*, harness::Harness};
use sealwire_client::{
    ClientError, Event, FetchId, Message, Notice, PublishId, Receipt, SessionReason, State, SubscriptionId,
};
use sealwire_protocol::wire::{
    Failed, Ping, Position, Publish, Published, Refresh, Refreshed, Subscribe, Subscribed, ToClient, ToRelay,
    Unsubscribe, Unsubscribed,
};

impl Harness {
    pub fn expect_session_request(&mut self, reason: SessionReason) -> FetchId {
        let index = self.events.iter().position(|event| matches!(event, Event::SessionRequested { .. }));
        match self.events.remove(index.expect("a session is requested")) {
            Some(Event::SessionRequested { fetch, reason: actual, .. }) if actual == reason => fetch,
            other => panic!("{other:?}"),
        }
    }

    pub fn expect_subscribe(&mut self) -> Subscribe {
        match self.sent.pop_front() {
            Some(ToRelay::Subscribe(subscribe)) => subscribe,
            other => panic!("{other:?}"),
        }
    }

    pub fn expect_unsubscribe(&mut self) -> Unsubscribe {
        match self.sent.pop_front() {
            Some(ToRelay::Unsubscribe(unsubscribe)) => unsubscribe,
            other => panic!("{other:?}"),
        }
    }

    pub fn expect_publish(&mut self) -> Publish {
        match self.sent.pop_front() {
            Some(ToRelay::Publish(publish)) => publish,
            other => panic!("{other:?}"),
        }
    }

    pub fn expect_refresh(&mut self) -> Refresh {
        match self.sent.pop_front() {
            Some(ToRelay::Refresh(refresh)) => refresh,
            other => panic!("{other:?}"),
        }
    }

    /// Takes the client's `Subscribe` and confirms it at `offset`.
    pub fn confirm(&mut self, name: &str, offset: u64) -> Subscribe {
        self.confirm_at(name, position(offset), true)
    }

    /// Takes the client's `Subscribe` and confirms it at `offset`, with a replay up to `end`.
    pub fn confirm_replay(&mut self, name: &str, offset: u64, end: u64) -> Subscribe {
        self.confirm_with(name, position(offset), true, end)
    }

    pub fn confirm_at(&mut self, name: &str, position: Position, recovered: bool) -> Subscribe {
        self.confirm_with(name, position, recovered, 0)
    }

    fn confirm_with(
        &mut self,
        name: &str,
        position: Position,
        recovered: bool,
        replay_end: u64,
    ) -> Subscribe {
        let subscribe = self.expect_subscribe();
        self.receive(ToClient::Subscribed(Subscribed {
            request: subscribe.request,
            channel_id: channel_id(name).into(),
            position: Some(position),
            recovered,
            replay_end,
        }));
        subscribe
    }

    pub fn acknowledge(&mut self, publish: &Publish, offset: u64) {
        self.receive(ToClient::Published(Published {
            request: publish.request,
            position: Some(position(offset)),
            time_ms: 99,
        }));
    }

    pub fn unsubscribed(&mut self, request: u32) {
        self.receive(ToClient::Unsubscribed(Unsubscribed { request }));
    }

    pub fn refreshed(&mut self, request: u32) {
        let expires_at = (UNIX_START + self.now_ms) / 1000 + SESSION_SECONDS;
        self.receive(ToClient::Refreshed(Refreshed { request, expires_at }));
    }

    pub fn refuse(&mut self, request: u32, code: sealwire_protocol::Code, retry_after_ms: u32) {
        let failed = Failed { request, code: code.number(), message: "why".into(), retry_after_ms };
        self.receive(ToClient::Failed(failed));
    }

    pub fn ping(&mut self) {
        self.receive(ToClient::Ping(Ping::default()));
    }

    /// Receives a `Ping` with marks, and takes the client's `Pong`.
    pub fn mark(&mut self, marks: &[Position]) {
        self.receive(ToClient::Ping(Ping { marks: marks.to_vec() }));
        assert!(matches!(self.sent.pop_back(), Some(ToRelay::Pong(_))));
    }

    pub fn forget_states(&mut self) {
        let is_state = |event: &Event| {
            matches!(
                event,
                Event::State { .. }
                    | Event::Standing { .. }
                    | Event::Notice { notice: Notice::Resumed { .. }, .. }
            )
        };
        self.events.retain(|event| !is_state(event));
    }

    pub fn expect_nothing(&mut self) {
        self.forget_states();
        assert_eq!(self.events, []);
        assert_eq!(self.sent, []);
    }

    pub fn next_event(&mut self) -> Event {
        self.forget_states();
        self.events.pop_front().expect("an event")
    }

    pub fn expect_subscribed(&mut self, subscription: SubscriptionId) {
        assert_eq!(self.next_event(), Event::SubscribeDone { subscription, result: Ok(()) });
    }

    pub fn expect_subscribe_error(&mut self, expected: SubscriptionId) -> ClientError {
        match self.next_event() {
            Event::SubscribeDone { subscription, result: Err(error) } if subscription == expected => error,
            other => panic!("{other:?}"),
        }
    }

    pub fn expect_published(&mut self, expected: PublishId) -> Receipt {
        match self.next_event() {
            Event::PublishDone { publish, result: Ok(receipt) } if publish == expected => receipt,
            other => panic!("{other:?}"),
        }
    }

    pub fn expect_publish_error(&mut self, expected: PublishId) -> ClientError {
        match self.next_event() {
            Event::PublishDone { publish, result: Err(error) } if publish == expected => error,
            other => panic!("{other:?}"),
        }
    }

    pub fn expect_message(&mut self, recipients: &[SubscriptionId]) -> Message {
        match self.next_event() {
            Event::Message { subscriptions, message } => {
                assert_eq!(subscriptions, recipients);
                message
            }
            other => panic!("{other:?}"),
        }
    }

    pub fn expect_payload(&mut self, recipients: &[SubscriptionId], payload: &str) {
        assert_eq!(self.expect_message(recipients).payload, payload);
    }

    pub fn expect_notice(&mut self, recipients: &[SubscriptionId]) -> Notice {
        match self.next_event() {
            Event::Notice { subscriptions, notice } => {
                assert_eq!(subscriptions, recipients);
                notice
            }
            other => panic!("{other:?}"),
        }
    }

    /// Takes the notice that a message could not be opened, and returns its text.
    pub fn expect_unreadable(&mut self, recipient: SubscriptionId) -> String {
        match self.expect_notice(&[recipient]) {
            Notice::Error(error) => {
                assert_eq!(error.code.name(), "MESSAGE_UNREADABLE");
                error.message
            }
            other => panic!("{other:?}"),
        }
    }

    pub fn states(&mut self) -> Vec<State> {
        let states = self.events.iter().filter_map(|event| match event {
            Event::State { state, .. } => Some(*state),
            _ => None,
        });
        let states = states.collect();
        self.forget_states();
        states
    }
}
