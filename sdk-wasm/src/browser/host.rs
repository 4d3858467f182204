//! The JavaScript object through which the page serves the client: sessions, sockets, tokens and decryption.

use js_sys::Function;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    /// The page's side of the client.
    pub type Host;
    /// Returns a session, or a promise of one.
    #[wasm_bindgen(method, catch)]
    pub(super) fn session(this: &Host, reason: &str) -> Result<JsValue, JsValue>;
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
    /// Reports a new state of the connection, and the error that led to it.
    #[wasm_bindgen(method, catch)]
    pub(super) fn state(this: &Host, state: &str, error: &JsValue) -> Result<(), JsValue>;
}
