//! What the vector files hold.

use sealwire_protocol::Scope;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// `codes.json`: a code and what it means for a connection.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeCase {
    /// On the wire.
    pub number: u32,
    /// In HTTP answers, logs and JavaScript.
    pub name: String,
    /// Of the WebSocket; less 4000, the HTTP status.
    pub close_code: u16,
    /// Whether the same attempt can succeed later.
    pub retry: bool,
}

/// `xaes-256-gcm.json`: the vectors that C2SP publishes.
#[derive(Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct XaesCase {
    pub key: String,
    pub nonce: String,
    pub aad: String,
    pub plaintext: String,
    pub ciphertext_and_tag: String,
}

/// `channels.json`: a channel and its id.
#[derive(Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ChannelCase {
    pub app: String,
    pub installation: String,
    pub scope: Scope,
    pub claims_tag: Option<String>,
    pub name: String,
    pub channel_id: String,
}

/// `keys.json`: an installation's keys and what is derived from them for one channel.
#[derive(Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct KeyCase {
    pub app: String,
    pub installation: String,
    pub encryption_key: String,
    pub routing_key: String,
    pub context: Scope,
    /// The properties of the context that the channel keeps.
    pub properties: Vec<String>,
    pub name: String,
    /// JSON text as an app may write it.
    pub claims: Option<String>,
    pub key_id: String,
    /// The keys of all subsets of the context, as a session carries them, in base64url.
    pub scope_keys: String,
    /// The key of the channel's scope.
    pub scope_key: String,
    pub canonical_claims: Option<String>,
    pub claims_tag: Option<String>,
    pub claims_key: Option<String>,
    pub channel_key: String,
}

/// A signing key and the app that it belongs to.
#[derive(Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct AppKey {
    pub app: String,
    /// `<kid>.<base64url secret>`
    pub signing_key: String,
}

/// A token, and what a relay with the file's keys says of it.
#[derive(Serialize, Deserialize)]
pub struct TokenCase {
    /// The sentence that the case proves.
    pub what: String,
    /// `session`, `channel` or `backend`: what the relay takes it for.
    pub kind: String,
    /// Seconds since 1970.
    pub now: u64,
    /// The token.
    pub token: String,
    /// The claims of a good token.
    pub claims: Option<serde_json::Value>,
    /// The code's name for a bad one.
    pub refused: Option<String>,
}

/// `tokens.json`.
#[derive(Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct TokenVectors {
    pub keys: Vec<AppKey>,
    pub cases: Vec<TokenCase>,
}

/// `sealed.json`: a message sealed with given nonce and time, or one that does not open.
#[derive(Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct SealedCase {
    /// The sentence that the case proves.
    pub what: String,
    pub encryption_key: String,
    pub app: String,
    pub installation: String,
    pub scope: Scope,
    pub name: String,
    pub event: String,
    pub nonce: String,
    pub published_at_ms: u64,
    /// `null` where the message must not open.
    pub payload: Option<String>,
    pub sealed: String,
}

/// `frames.json`: one message on the WebSocket.
#[derive(Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct FrameCase {
    /// `to-relay` or `to-client`.
    pub direction: String,
    /// Name of the message in the .proto file.
    pub message: String,
    pub bytes: String,
}

/// `batches.json`: what a WebSocket may bring to a client that takes batches.
#[derive(Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct BatchCase {
    /// The sentence that the case proves.
    pub what: String,
    pub bytes: String,
    /// The messages in it, as far as it is whole.
    pub messages: Vec<String>,
    pub broken: bool,
}

/// The text of a vector file.
///
/// # Panics
/// For a name that is not one of the files.
#[must_use]
pub fn file(name: &str) -> &'static str {
    match name {
        "codes" => include_str!("../codes.json"),
        "xaes-256-gcm" => include_str!("../xaes-256-gcm.json"),
        "channels" => include_str!("../channels.json"),
        "keys" => include_str!("../keys.json"),
        "tokens" => include_str!("../tokens.json"),
        "sealed" => include_str!("../sealed.json"),
        "frames" => include_str!("../frames.json"),
        "batches" => include_str!("../batches.json"),
        other => panic!("no vector file is named {other}"),
    }
}

/// The cases of a vector file.
///
/// # Errors
/// A sentence, where the file does not have that form.
pub fn load<T: DeserializeOwned>(name: &str) -> Result<T, String> {
    serde_json::from_str(file(name)).map_err(|error| format!("{name}.json: {error}"))
}
