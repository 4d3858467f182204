//! The types of the vector files.

use sealwire_protocol::Scope;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// `codes.json`: a code of the protocol with its close code and whether a retry can succeed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeCase {
    /// The number on the wire.
    pub number: u32,
    /// The name in HTTP responses, logs and JavaScript.
    pub name: String,
    /// The close code of the WebSocket. The HTTP status is this number less 4000.
    pub close_code: u16,
    /// True if the same request can succeed later.
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

/// `keys.json`: an installation's keys and the values derived from them for one channel.
#[derive(Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct KeyCase {
    pub app: String,
    pub installation: String,
    pub encryption_key: String,
    pub routing_key: String,
    pub context: Scope,
    /// The properties of the context that are in the channel's scope.
    pub properties: Vec<String>,
    pub name: String,
    /// The claims as JSON text, not necessarily in canonical form.
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

/// A token, and the result of verifying it with the file's keys.
#[derive(Serialize, Deserialize)]
pub struct TokenCase {
    /// The sentence that the case proves.
    pub what: String,
    /// The expected kind: `session`, `channel` or `backend`.
    pub kind: String,
    /// The time of verification in seconds since 1970.
    pub now: u64,
    /// The token.
    pub token: String,
    /// The claims of a valid token.
    pub claims: Option<serde_json::Value>,
    /// The name of the code with which an invalid token is refused.
    pub refused: Option<String>,
}

/// `tokens.json`.
#[derive(Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct TokenVectors {
    pub keys: Vec<AppKey>,
    pub cases: Vec<TokenCase>,
}

/// `sealed.json`: a message sealed with a given stamp, time and random bytes, or one that does not open.
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
    /// The sender id, the first half of the nonce.
    pub sender: String,
    /// The second half of the nonce.
    pub random: String,
    pub number: u32,
    /// The bitmap as 8 bytes, big-endian.
    pub confirmed: String,
    pub published_at_ms: u64,
    /// The payload; `null` if the message must not open.
    pub payload: Option<String>,
    /// The signature of the function or of the page that published the message.
    pub signature: Option<String>,
    /// The public key of the functions, as a point of P-256 in 65 bytes. It verifies the certificate of a page, and otherwise
    /// the signature.
    pub signer: Option<String>,
    /// The certificate of the page, whose key then verifies the signature.
    pub certificate: Option<CertificateCase>,
    pub sealed: String,
}

/// `entries.json`: an entry of a presence, sealed with a given nonce, or one that does not open.
#[derive(Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct EntryCase {
    /// The sentence that the case proves.
    pub what: String,
    pub encryption_key: String,
    pub app: String,
    pub installation: String,
    pub scope: Scope,
    pub name: String,
    pub member: String,
    pub number: u64,
    pub nonce: String,
    pub sealed_at_ms: u64,
    pub entered_at_ms: u64,
    pub account: String,
    /// The data as JSON text; `null` if the entry must not open.
    pub data: Option<String>,
    /// The signature of the page.
    pub signature: Option<String>,
    /// The public key of the functions, which verifies the certificate: a point of P-256 in 65 bytes.
    pub signer: Option<String>,
    /// The certificate of the page, whose key verifies the signature.
    pub certificate: Option<CertificateCase>,
    pub sealed: String,
}

/// The certificate of a page.
#[derive(Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct CertificateCase {
    pub public_key: String,
    pub expires_at_ms: u64,
    pub account: String,
    pub signature: String,
}

/// `idempotency.json`: a message with an idempotency id of the app, and the values by which the relay recognises it.
#[derive(Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct IdempotencyCase {
    /// The sentence that the case proves.
    pub what: String,
    pub encryption_key: String,
    pub app: String,
    pub installation: String,
    pub scope: Scope,
    pub name: String,
    /// The subject of the session token, or `\0resolver`.
    pub publisher: String,
    /// The id that the app chose.
    pub app_id: String,
    pub event: String,
    pub payload: String,
    /// The id on the wire.
    pub id: String,
    /// The digest of the content on the wire.
    pub content: String,
}

/// `name-tags.json`: a name with its tag, or a tag that is not one of this kind, installation and secret.
#[derive(Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct NameTagCase {
    /// The sentence that the case proves.
    pub what: String,
    pub app: String,
    pub installation: String,
    pub routing_key: String,
    /// `channel`, `event` or `value`.
    pub kind: String,
    /// The property of a value; empty for other kinds.
    pub property: String,
    /// The name; `null` if the tag must not read as one.
    pub name: Option<String>,
    pub tag: String,
}

/// `frames.json`: one message on the WebSocket.
#[derive(Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct FrameCase {
    /// `to-relay` or `to-client`.
    pub direction: String,
    /// The name of the message in the .proto file.
    pub message: String,
    pub bytes: String,
}

/// `batches.json`: a WebSocket message to a client that accepts batches.
#[derive(Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct BatchCase {
    /// The sentence that the case proves.
    pub what: String,
    pub bytes: String,
    /// The messages before the first error.
    pub messages: Vec<String>,
    /// True if an error follows these messages.
    pub broken: bool,
}

/// Returns the text of a vector file.
///
/// # Panics
/// If no file has this name.
#[must_use]
pub fn file(name: &str) -> &'static str {
    match name {
        "codes" => include_str!("../codes.json"),
        "xaes-256-gcm" => include_str!("../xaes-256-gcm.json"),
        "channels" => include_str!("../channels.json"),
        "keys" => include_str!("../keys.json"),
        "tokens" => include_str!("../tokens.json"),
        "sealed" => include_str!("../sealed.json"),
        "name-tags" => include_str!("../name-tags.json"),
        "entries" => include_str!("../entries.json"),
        "idempotency" => include_str!("../idempotency.json"),
        "frames" => include_str!("../frames.json"),
        "batches" => include_str!("../batches.json"),
        other => panic!("no vector file is named {other}"),
    }
}

/// Parses a vector file.
///
/// # Errors
/// Returns an explanation if the file does not have the form of `T`.
pub fn load<T: DeserializeOwned>(name: &str) -> Result<T, String> {
    serde_json::from_str(file(name)).map_err(|error| format!("{name}.json: {error}"))
}
