//! The JavaScript functions that wait to be called: promises of calls, and the callbacks of subscriptions.

use js_sys::{Function, Promise};
use sealwire_client::SubscriptionId;
use wasm_bindgen::JsValue;

/// The two ends of a promise.
#[derive(Clone)]
pub(super) struct Deferred {
    resolve: Function,
    reject: Function,
}

impl Deferred {
    pub(super) fn new() -> (Promise, Option<Self>) {
        let mut ends = None;
        let promise = Promise::new(&mut |resolve, reject| ends = Some(Self { resolve, reject }));
        (promise, ends)
    }

    pub(super) fn settle(&self, result: &Result<JsValue, JsValue>) {
        // These functions do not throw.
        let _ = match result {
            Ok(value) => self.resolve.call1(&JsValue::UNDEFINED, value),
            Err(error) => self.reject.call1(&JsValue::UNDEFINED, error),
        };
    }
}

#[derive(Clone)]
pub(super) struct Subscriber {
    pub(super) on_message: Function,
    pub(super) on_notice: Function,
    /// Provides channel tokens.
    pub(super) token: Option<Function>,
}

/// Few entries each, so they are searched from one end to the other.
#[derive(Default)]
pub(super) struct Callbacks {
    /// By the id of the subscription, publication or refresh, which are all different.
    calls: Vec<(u32, Deferred)>,
    unsubscribes: Vec<(SubscriptionId, Deferred)>,
    subscribers: Vec<(SubscriptionId, Subscriber)>,
}

impl Callbacks {
    pub(super) fn expect(&mut self, id: u32, deferred: Option<Deferred>) {
        self.calls.extend(deferred.map(|deferred| (id, deferred)));
    }

    pub(super) fn take(&mut self, id: u32) -> Option<Deferred> {
        let index = self.calls.iter().position(|(other, _)| *other == id)?;
        Some(self.calls.swap_remove(index).1)
    }

    pub(super) fn expect_unsubscribe(&mut self, id: SubscriptionId, deferred: Option<Deferred>) {
        self.unsubscribes.extend(deferred.map(|deferred| (id, deferred)));
    }

    /// One of those that wait; several may.
    pub(super) fn take_unsubscribe(&mut self, id: SubscriptionId) -> Option<Deferred> {
        let index = self.unsubscribes.iter().position(|(other, _)| *other == id)?;
        Some(self.unsubscribes.swap_remove(index).1)
    }

    pub(super) fn join(&mut self, id: SubscriptionId, subscriber: Subscriber) {
        self.subscribers.push((id, subscriber));
    }

    pub(super) fn leave(&mut self, id: SubscriptionId) {
        self.subscribers.retain(|(other, _)| *other != id);
    }

    pub(super) fn subscriber(&self, id: SubscriptionId) -> Option<Subscriber> {
        let (_, subscriber) = self.subscribers.iter().find(|(other, _)| *other == id)?;
        Some(subscriber.clone())
    }

    pub(super) fn clear_subscribers(&mut self) {
        self.subscribers.clear();
    }
}
