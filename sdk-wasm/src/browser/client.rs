//! The JavaScript class `Client`. It reads arguments and passes calls to the shell.

use super::{
    arguments,
    callbacks::{Deferred, Subscriber},
    clock::PageEntropy,
    host::Host,
    shell::Shell,
};
use crate::error::with_code;
use js_sys::{Promise, Uint8Array};
use sealwire_client::{DecryptionId, Draft, PublishId, RenewalId, SigningId, SubscriptionId, VerificationId};
use sealwire_protocol::{Code, Signature};
use std::rc::Rc;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

/// The client of one page. It connects on the first subscribe or publish.
#[wasm_bindgen]
pub struct Client {
    shell: Rc<Shell>,
}

#[wasm_bindgen]
impl Client {
    /// Creates a client.
    ///
    /// `host` is `{ session(reason, certify), connect(url, protocol), token(provider, renewal, fresh), state(state, error?),
    /// open(opening, key, iv, associatedData, ciphertext), verify(verification, signer, text, signature, issuer, certificate),
    /// sign(signing, text) }`. `options` is `{ idleCloseMs?, hostDecryptThreshold?, verifiesSignatures? }`. The host's `open` decrypts messages of at least
    /// `hostDecryptThreshold` sealed bytes; by default the core decrypts all. With `verifiesSignatures`, the host's `verify`
    /// verifies signatures; by default no message has a verified sender.
    ///
    /// # Errors
    /// An error with the code `UNREACHABLE` if the page has no source of randomness.
    #[wasm_bindgen(constructor)]
    pub fn new(host: Host, options: &JsValue) -> Result<Client, JsValue> {
        let entropy = PageEntropy::open()
            .ok_or_else(|| with_code(Code::Unreachable, "this page has no crypto.getRandomValues"))?;
        let client = sealwire_client::Client::new(arguments::config(options), Box::new(entropy));
        Ok(Self { shell: Shell::new(host, client) })
    }

    /// Subscribes to a channel. The promise resolves with the id of the subscription once the relay has confirmed it.
    ///
    /// `options` is `{ replaySeconds?, renewToken?, timeoutMs?, member?, started? }`. Without `timeoutMs` there is no time
    /// limit. With `member: { id?, enteredAt? }`, the subscription is to the presence of the channel: `on_message` gets all
    /// members and then each change, as an array of `[id, data, account, enteredAt, inGrace, isSelf, isVerified]`, or `[id]` for a
    /// member that left. The client passes `renewToken` to the host's `token` whenever the channel token must be renewed. It calls
    /// `started` immediately with the id, which `unsubscribe` takes.
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
        let member = arguments::member(options);
        let started = arguments::on_started(options);
        let (promise, deferred) = Deferred::new();
        let renews = subscriber.token.is_some();
        self.shell.call(
            started,
            |client, now| {
                let id = match member {
                    Some(member) => client.subscribe_presence(now, channel, member, timeout_ms),
                    None => client.subscribe_within(now, channel, replay_seconds, timeout_ms),
                };
                if renews {
                    client.enable_token_renewal(now, id);
                }
                id
            },
            |callbacks, id| {
                callbacks.add_subscriber(id, subscriber);
                callbacks.expect(id.0, deferred);
            },
        );
        promise
    }

    /// Unsubscribes. No callback runs after this call. The promise resolves once the relay has confirmed it.
    pub fn unsubscribe(&self, id: u32) -> Promise {
        let id = SubscriptionId(id);
        self.shell.remove_subscriber(id);
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

    /// Enters a presence, or replaces the data of the page's member. `data` is JSON text; without it, the page leaves. The
    /// host's `sign` signs the entry if `signed` is true. The promise resolves once the relay has accepted it.
    pub fn enter(&self, id: u32, data: Option<String>, signed: bool) -> Promise {
        let id = SubscriptionId(id);
        let (promise, deferred) = Deferred::new();
        self.shell.call(
            None,
            |client, now| match data {
                Some(data) => client.enter(now, id, data, signed),
                None => client.leave(now, id),
            },
            |callbacks, id| callbacks.expect(id.0, deferred),
        );
        promise
    }

    /// Publishes a message. The promise resolves with `{ eventId, timestamp }` once the relay has accepted the message.
    ///
    /// `options` is `{ timeoutMs?, idempotencyId?, signed?, started? }`. The client calls `started` immediately with the number
    /// of the call, which `withdraw` takes. The host's `sign` signs the message if `signed` is true.
    pub fn publish(&self, channel: &JsValue, event: String, payload: String, options: &JsValue) -> Promise {
        let channel = match arguments::channel(channel) {
            Ok(channel) => channel,
            Err(error) => return Promise::reject(&error),
        };
        let (promise, deferred) = Deferred::new();
        let (id, timeout_ms) = (arguments::idempotency_id(options), arguments::timeout_ms(options));
        let started = arguments::on_started(options);
        let signed = arguments::signed(options);
        let draft = Draft { spec: channel, event, payload, id, timeout_ms, signed };
        self.shell.call(
            started,
            |client, now| client.publish_draft(now, draft),
            |callbacks, id| callbacks.expect(id.0, deferred),
        );
        promise
    }

    /// Cancels a publication. Its promise rejects, unless it has already settled.
    pub fn withdraw(&self, publish: u32) {
        self.shell.input(|client, now| client.withdraw_publish(now, PublishId(publish)));
    }

    /// Replaces the channel token of a subscription. The promise resolves once the relay has accepted the new token.
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

    /// Passes the channel token that the host's `token` was asked for.
    #[wasm_bindgen(js_name = provideToken)]
    pub fn provide_token(&self, renewal: u32, token: &str) {
        self.shell.input(|client, now| client.handle_token(now, RenewalId(renewal), token));
    }

    /// Passes the error of the app's function, instead of the channel token that the host's `token` was asked for.
    #[wasm_bindgen(js_name = failToken)]
    pub fn fail_token(&self, renewal: u32, thrown: &JsValue) {
        let error = arguments::provider_error(thrown);
        self.shell.input(|client, now| client.handle_token_failed(now, RenewalId(renewal), error));
    }

    /// Passes the plaintext that the host's `open` was asked for, or `undefined` if the host could not decrypt.
    #[wasm_bindgen(js_name = provideOpened)]
    pub fn provide_opened(&self, opening: u32, plaintext: Option<Uint8Array>) {
        let plaintext = plaintext.map(|plaintext| plaintext.to_vec());
        self.shell.input(|client, now| client.handle_decrypted(now, DecryptionId(opening), plaintext));
    }

    /// Passes the result of the verification that the host's `verify` was asked for.
    #[wasm_bindgen(js_name = provideVerified)]
    pub fn provide_verified(&self, verification: u32, is_valid: bool) {
        self.shell.input(|client, now| client.handle_verified(now, VerificationId(verification), is_valid));
    }

    /// Passes the signature of 64 bytes that the host's `sign` was asked for, or `undefined` if the page could not sign.
    #[wasm_bindgen(js_name = provideSigned)]
    pub fn provide_signed(&self, signing: u32, signature: Option<Uint8Array>) {
        let signature = signature.and_then(|signature| signature.to_vec().try_into().ok()).map(Signature);
        self.shell.input(|client, now| client.handle_signed(now, SigningId(signing), signature));
    }

    /// Suspends attempts to connect, for the reason `offline`, `hidden` or `frozen`.
    pub fn pause(&self, reason: &str) {
        let pause = arguments::pause(reason);
        self.shell.input(|client, now| client.handle_pause(now, pause));
    }

    /// Resumes attempts to connect, after the page or its network has become available again.
    pub fn wake(&self) {
        self.shell.input(|client, now| client.handle_wake(now));
    }

    /// Closes the client permanently and releases the callbacks of the page.
    pub fn close(&self) {
        self.shell.close();
    }

    /// The number of messages that were dropped because the relay had delivered them before.
    #[wasm_bindgen(getter, js_name = repeatedMessages)]
    pub fn repeated_messages(&self) -> u32 {
        self.shell.repeated_messages()
    }

    /// The state: `idle`, `connecting`, `connected`, `reconnecting`, `suspended` or `closed`.
    #[wasm_bindgen(getter)]
    pub fn state(&self) -> String {
        self.shell.state().into()
    }
}
