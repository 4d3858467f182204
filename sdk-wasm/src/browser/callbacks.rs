//! The JavaScript functions that the shell will call: the promises of pending calls and the callbacks of subscriptions.

use js_sys::{Function, Promise};
use sealwire_client::SubscriptionId;
use std::rc::Rc;
use wasm_bindgen::JsValue;

/// The functions that settle a promise.
#[derive(Clone)]
pub(super) struct Deferred {
    resolve: Function,
    reject: Function,
}

impl Deferred {
    pub(super) fn new() -> (Promise, Option<Self>) {
        let mut deferred = None;
        let promise = Promise::new(&mut |resolve, reject| deferred = Some(Self { resolve, reject }));
        (promise, deferred)
    }

    pub(super) fn settle(&self, result: &Result<JsValue, JsValue>) {
        // The functions of a promise do not throw.
        let _ = match result {
            Ok(value) => self.resolve.call1(&JsValue::UNDEFINED, value),
            Err(error) => self.reject.call1(&JsValue::UNDEFINED, error),
        };
    }
}

/// The callbacks of a subscription.
pub(super) struct Subscriber {
    pub(super) on_message: Function,
    pub(super) on_notice: Function,
    /// The app's function for channel tokens.
    pub(super) token: Option<Function>,
}

/// The lists are short, so lookups are linear searches.
#[derive(Default)]
pub(super) struct Callbacks {
    /// The key is the id of the subscription, publication or refresh. The client never uses an id twice.
    calls: Vec<(u32, Deferred)>,
    unsubscribes: Vec<(SubscriptionId, Deferred)>,
    subscribers: Vec<(SubscriptionId, Rc<Subscriber>)>,
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

    /// Takes one of the pending calls. Several calls may be pending for the same subscription.
    pub(super) fn take_unsubscribe(&mut self, id: SubscriptionId) -> Option<Deferred> {
        let index = self.unsubscribes.iter().position(|(other, _)| *other == id)?;
        Some(self.unsubscribes.swap_remove(index).1)
    }

    pub(super) fn add_subscriber(&mut self, id: SubscriptionId, subscriber: Subscriber) {
        self.subscribers.push((id, Rc::new(subscriber)));
    }

    pub(super) fn remove_subscriber(&mut self, id: SubscriptionId) {
        self.subscribers.retain(|(other, _)| *other != id);
    }

    pub(super) fn subscriber(&self, id: SubscriptionId) -> Option<Rc<Subscriber>> {
        let (_, subscriber) = self.subscribers.iter().find(|(other, _)| *other == id)?;
        Some(Rc::clone(subscriber))
    }

    pub(super) fn clear_subscribers(&mut self) {
        self.subscribers.clear();
    }
}
