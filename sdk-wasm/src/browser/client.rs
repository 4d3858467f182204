//! The class that JavaScript sees.

use super::{
    arguments,
    callbacks::{Deferred, Subscriber},
    clock::PageEntropy,
    shell::{Host, Shell},
};
use crate::error::with_code;
use js_sys::Promise;
use sealwire_client::SubscriptionId;
use sealwire_protocol::Code;
use std::rc::Rc;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

/// A client of one page. Nothing connects before the first subscribe or publish.
#[wasm_bindgen]
pub struct Client {
    shell: Rc<Shell>,
}

#[wasm_bindgen]
impl Client {
    /// `host`: `{ session(reason), state(state, error?) }`; `options`: `{ requestTimeoutMs?, idleCloseMs? }`.
    ///
    /// # Errors
    /// Where the page has no source of randomness.
    #[wasm_bindgen(constructor)]
    pub fn new(host: Host, options: &JsValue) -> Result<Client, JsValue> {
        let entropy = PageEntropy::open()
            .ok_or_else(|| with_code(Code::Unreachable, "this page has no crypto.getRandomValues"))?;
        let client = sealwire_client::Client::new(arguments::config(options), Box::new(entropy));
        Ok(Self { shell: Shell::new(host, client) })
    }

    /// Resolves with the subscription's id once the relay confirmed it. `options`: `{ replaySeconds? }`.
    pub fn subscribe(
        &self,
        channel: &JsValue,
        options: &JsValue,
        on_message: JsValue,
        on_notice: JsValue,
    ) -> Promise {
        let arguments = || {
            let on_message = arguments::function(on_message, "onMessage")?;
            let on_notice = arguments::function(on_notice, "onNotice")?;
            Ok((arguments::channel(channel)?, Subscriber { on_message, on_notice }))
        };
        let (channel, subscriber) = match arguments() {
            Ok(arguments) => arguments,
            Err(error) => return Promise::reject(&error),
        };
        let replay_seconds = arguments::replay_seconds(options);
        let (promise, deferred) = Deferred::new();
        self.shell.call(
            |client, now| client.subscribe(now, channel, replay_seconds),
            |callbacks, id| {
                callbacks.join(id, subscriber);
                callbacks.expect(id.0, deferred);
            },
        );
        promise
    }

    /// Resolves when nothing more is delivered and the relay knows.
    pub fn unsubscribe(&self, id: u32) -> Promise {
        let id = SubscriptionId(id);
        self.shell.leave(id);
        let (promise, deferred) = Deferred::new();
        self.shell.call(
            |client, now| client.unsubscribe(now, id),
            |callbacks, ()| callbacks.expect_unsubscribe(id, deferred),
        );
        promise
    }

    /// Resolves with `{ eventId, timestamp }` once the relay took the message.
    pub fn publish(&self, channel: &JsValue, event: String, payload: String) -> Promise {
        let channel = match arguments::channel(channel) {
            Ok(channel) => channel,
            Err(error) => return Promise::reject(&error),
        };
        let (promise, deferred) = Deferred::new();
        self.shell.call(
            |client, now| client.publish(now, channel, event, payload),
            |callbacks, id| callbacks.expect(id.0, deferred),
        );
        promise
    }

    /// Resolves once the relay took the new channel token.
    #[wasm_bindgen(js_name = refreshToken)]
    pub fn refresh_token(&self, id: u32, token: String) -> Promise {
        let (promise, deferred) = Deferred::new();
        self.shell.call(
            |client, now| client.refresh_token(now, SubscriptionId(id), &token),
            |callbacks, id| callbacks.expect(id.0, deferred),
        );
        promise
    }

    /// Ends everything for good and lets go of all that the page passed in.
    pub fn close(&self) {
        self.shell.close();
    }

    /// `idle`, `connecting`, `connected`, `reconnecting` or `closed`.
    #[wasm_bindgen(getter)]
    pub fn state(&self) -> String {
        self.shell.state().into()
    }
}
