//! The JavaScript functions that wait to be called: promises of calls, and the callbacks of subscriptions.

use js_sys::{Function, Promise};
use sealwire_client::SubscriptionId;
use std::collections::BTreeMap;
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
}

#[derive(Default)]
pub(super) struct Callbacks {
    /// By the id of the subscription, publication or refresh, which are all different.
    calls: BTreeMap<u32, Deferred>,
    unsubscribes: BTreeMap<SubscriptionId, Vec<Deferred>>,
    subscribers: BTreeMap<SubscriptionId, Subscriber>,
}

impl Callbacks {
    pub(super) fn expect(&mut self, id: u32, deferred: Option<Deferred>) {
        if let Some(deferred) = deferred {
            self.calls.insert(id, deferred);
        }
    }

    pub(super) fn take(&mut self, id: u32) -> Option<Deferred> {
        self.calls.remove(&id)
    }

    pub(super) fn expect_unsubscribe(&mut self, id: SubscriptionId, deferred: Option<Deferred>) {
        self.unsubscribes.entry(id).or_default().extend(deferred);
    }

    pub(super) fn take_unsubscribes(&mut self, id: SubscriptionId) -> Vec<Deferred> {
        self.unsubscribes.remove(&id).unwrap_or_default()
    }

    pub(super) fn join(&mut self, id: SubscriptionId, subscriber: Subscriber) {
        self.subscribers.insert(id, subscriber);
    }

    pub(super) fn leave(&mut self, id: SubscriptionId) {
        self.subscribers.remove(&id);
    }

    pub(super) fn subscriber(&self, id: SubscriptionId) -> Option<Subscriber> {
        self.subscribers.get(&id).cloned()
    }

    pub(super) fn clear_subscribers(&mut self) {
        self.subscribers.clear();
    }
}
