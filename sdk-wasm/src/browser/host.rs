//! The JavaScript object through which the page serves the client: sessions, sockets, tokens, decryption and
//! signatures.

use js_sys::{Array, Function};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure, prelude::wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    /// The page's side of the client.
    pub type Host;
    /// Returns a session, or a promise of one. With `certify`, the session certifies the page's public key.
    #[wasm_bindgen(method, catch)]
    pub(super) fn session(this: &Host, reason: &str, certify: bool) -> Result<JsValue, JsValue>;
    /// Returns a WebSocket, or an object with the same events and methods.
    #[wasm_bindgen(method, catch)]
    pub(super) fn connect(this: &Host, url: &str, protocol: &str) -> Result<JsValue, JsValue>;
    /// Requests a channel token. The page answers with `Client.provideToken` or `Client.failToken`.
    #[wasm_bindgen(method, catch)]
    pub(super) fn token(this: &Host, provider: &Function, renewal: u32, fresh: bool) -> Result<(), JsValue>;
    /// Requests the plaintext of an AES-256-GCM message. The page answers with `Client.provideOpened`.
    #[wasm_bindgen(method, catch)]
    pub(super) fn open(
        this: &Host,
        opening: u32,
        key: &[u8],
        nonce: &[u8],
        associated_data: &[u8],
        ciphertext: &[u8],
    ) -> Result<(), JsValue>;
    /// Requests the verification of a signature of ECDSA with P-256. The page answers with `Client.provideVerified`. If the
    /// author is a page, `issuer` is the public key that verifies the certificate of `signer`, and `certificate` is the
    /// certified text with its signature of 64 bytes behind it. Otherwise both are empty.
    #[wasm_bindgen(method, catch)]
    pub(super) fn verify(
        this: &Host,
        verification: u32,
        signer: &str,
        text: &[u8],
        signature: &[u8],
        issuer: &str,
        certificate: &[u8],
    ) -> Result<(), JsValue>;
    /// Requests a signature of the page's key. The page answers with `Client.provideSigned`.
    #[wasm_bindgen(method, catch)]
    pub(super) fn sign(this: &Host, signing: u32, text: &[u8]) -> Result<(), JsValue>;
    /// Reports a new state of the connection, and the error that led to it.
    #[wasm_bindgen(method, catch)]
    pub(super) fn state(this: &Host, state: &str, error: &JsValue) -> Result<(), JsValue>;

    type Outcomes;
    #[wasm_bindgen(js_namespace = Promise, js_name = allSettled)]
    fn all_settled(promises: &Array) -> Outcomes;
    #[wasm_bindgen(method)]
    fn then(this: &Outcomes, listener: &JsValue) -> JsValue;

    type Outcome;
    #[wasm_bindgen(method, getter)]
    fn status(this: &Outcome) -> String;
    #[wasm_bindgen(method, getter)]
    fn value(this: &Outcome) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn reason(this: &Outcome) -> JsValue;
}

/// Calls `take` with the outcome of a promise, or with a value that is not a promise. An executor of futures would do the same
/// with more code.
pub(super) fn settled(promise: JsValue, take: impl FnOnce(Result<JsValue, JsValue>) + 'static) {
    let listener = Closure::once_into_js(move |outcomes: Array| {
        let outcome: Outcome = outcomes.get(0).unchecked_into();
        take(if outcome.status() == "fulfilled" { Ok(outcome.value()) } else { Err(outcome.reason()) });
    });
    all_settled(&Array::of1(&promise)).then(&listener);
}
