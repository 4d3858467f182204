//! The class that JavaScript sees.

use super::{
    arguments,
    callbacks::{Deferred, Subscriber},
    clock::PageEntropy,
    shell::{Host, Shell},
};
use crate::error::with_code;
use js_sys::{Promise, Uint8Array};
use sealwire_client::{Draft, OpeningId, PublishId, RenewalId, SubscriptionId};
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
    /// `host`: `{ session(reason), connect(url, protocol), token(provider, renewal, fresh), state(state, error?),
    /// open(opening, key, iv, associatedData, ciphertext) }`; `options`: `{ idleCloseMs?,
    /// hostDecryptThreshold? }`: from how many sealed bytes on the host's `open` decrypts a message.
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

    /// Resolves with the subscription's id once the relay confirmed it, however long that takes. `options`:
    /// `{ replaySeconds?, renewToken?, timeoutMs?, started? }`; the host's `token` is called with `renewToken` whenever the
    /// channel token is to be renewed, and `started` at once with the id, for `unsubscribe`.
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
            let token = arguments::token_provider(options);
            Ok((arguments::channel(channel)?, Subscriber { on_message, on_notice, token }))
        };
        let (channel, subscriber) = match arguments() {
            Ok(arguments) => arguments,
            Err(error) => return Promise::reject(&error),
        };
        let replay_seconds = arguments::replay_seconds(options);
        let timeout_ms = arguments::timeout_ms(options);
        let started = arguments::on_started(options);
        let (promise, deferred) = Deferred::new();
        let renews = subscriber.token.is_some();
        self.shell.call(
            started,
            |client, now| {
                let id = client.subscribe_within(now, channel, replay_seconds, timeout_ms);
                if renews {
                    client.renew_token_of(now, id);
                }
                id
            },
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
            None,
            |client, now| {
                client.unsubscribe(now, id);
                id
            },
            |callbacks, id| callbacks.expect_unsubscribe(id, deferred),
        );
        promise
    }

    /// Resolves with `{ eventId, timestamp }` once the relay took the message. `options`: `{ timeoutMs?, idempotencyId?,
    /// started? }`; `started` is called at once with the number of the call, for `withdraw`.
    pub fn publish(&self, channel: &JsValue, event: String, payload: String, options: &JsValue) -> Promise {
        let channel = match arguments::channel(channel) {
            Ok(channel) => channel,
            Err(error) => return Promise::reject(&error),
        };
        let (promise, deferred) = Deferred::new();
        let (id, timeout_ms) = (arguments::idempotency_id(options), arguments::timeout_ms(options));
        let started = arguments::on_started(options);
        let draft = Draft { spec: channel, event, payload, id, timeout_ms };
        self.shell.call(
            started,
            |client, now| client.publish_draft(now, draft),
            |callbacks, id| callbacks.expect(id.0, deferred),
        );
        promise
    }

    /// Stops waiting for a publication: its promise rejects, unless it was over before.
    pub fn withdraw(&self, publish: u32) {
        self.shell.input(|client, now| client.withdraw_publish(now, PublishId(publish)));
    }

    /// Resolves once the relay took the new channel token.
    #[wasm_bindgen(js_name = refreshToken)]
    pub fn refresh_token(&self, id: u32, token: String) -> Promise {
        let (promise, deferred) = Deferred::new();
        self.shell.call(
            None,
            |client, now| client.refresh_token(now, SubscriptionId(id), &token),
            |callbacks, id| callbacks.expect(id.0, deferred),
        );
        promise
    }

    /// Answers the host's `token`.
    #[wasm_bindgen(js_name = provideToken)]
    pub fn provide_token(&self, renewal: u32, token: &str) {
        self.shell.input(|client, now| client.handle_token(now, RenewalId(renewal), token));
    }

    /// Answers the host's `token` with what the app's function threw.
    #[wasm_bindgen(js_name = failToken)]
    pub fn fail_token(&self, renewal: u32, thrown: &JsValue) {
        let error = arguments::provider_error(thrown);
        self.shell.input(|client, now| client.handle_token_failed(now, RenewalId(renewal), error));
    }

    /// Answers the host's `open`: with the plaintext, or with nothing where the host could not.
    #[wasm_bindgen(js_name = provideOpened)]
    pub fn provide_opened(&self, opening: u32, plaintext: Option<Uint8Array>) {
        let plaintext = plaintext.map(|plaintext| plaintext.to_vec());
        self.shell.input(|client, now| client.handle_opening(now, OpeningId(opening), plaintext));
    }

    /// No attempt to connect makes sense for now: `offline`, `hidden` or `frozen`.
    pub fn pause(&self, reason: &str) {
        let pause = arguments::pause(reason);
        self.shell.input(|client, now| client.handle_pause(now, pause));
    }

    /// The page or its network woke up.
    pub fn wake(&self) {
        self.shell.input(|client, now| client.handle_wake(now));
    }

    /// Ends everything for good and lets go of all that the page passed in.
    pub fn close(&self) {
        self.shell.close();
    }

    /// `idle`, `connecting`, `connected`, `reconnecting`, `suspended` or `closed`.
    #[wasm_bindgen(getter)]
    pub fn state(&self) -> String {
        self.shell.state().into()
    }
}
