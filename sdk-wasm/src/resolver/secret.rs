//! What an installation keeps secret: a routing key that never changes, and encryption keys, newest first.

use super::random;
use crate::{
    convert::{read, whole, write},
    error::invalid_argument,
};
use sealwire_protocol::{EncryptionKey, RoutingKey, decode_base64url, encode_base64url};
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

const VERSION: u32 = 1;
/// As many as a session grant may carry.
const MAX_KEYS: usize = 16;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    version: u32,
    routing: String,
    keys: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredKey {
    key: String,
    created_at: u64,
}

/// A secret whose form is right.
pub(super) struct Secret {
    pub(super) routing: RoutingKey,
    /// Newest first, never empty.
    pub(super) keys: Vec<EncryptionKey>,
}

impl Secret {
    pub(super) fn read(value: &JsValue) -> Result<Self, JsValue> {
        let stored = read_stored(value)?;
        let keys: Option<Vec<_>> =
            stored.keys.iter().map(|stored| Some(EncryptionKey::new(decode(&stored.key)?))).collect();
        let routing = decode(&stored.routing).map(RoutingKey::new);
        match (routing, keys) {
            (Some(routing), Some(keys)) => Ok(Self { routing, keys }),
            _ => Err(wrong()),
        }
    }
}

fn read_stored(value: &JsValue) -> Result<Stored, JsValue> {
    let stored: Stored = read(value, "the installation's secret")?;
    if stored.version == VERSION && !stored.keys.is_empty() { Ok(stored) } else { Err(wrong()) }
}

fn wrong() -> JsValue {
    invalid_argument("the installation's secret is not one that newInstallationSecret() made")
}

fn decode(text: &str) -> Option<[u8; 32]> {
    decode_base64url(text)?.try_into().ok()
}

fn fresh() -> Result<String, JsValue> {
    Ok(encode_base64url(random::bytes::<32>()?))
}

/// A secret with a fresh routing key and a fresh encryption key.
///
/// # Errors
/// Where the runtime has no source of randomness.
#[wasm_bindgen(js_name = newInstallationSecret)]
pub fn new_installation_secret(now_seconds: f64) -> Result<JsValue, JsValue> {
    let key = StoredKey { key: fresh()?, created_at: whole(now_seconds) };
    write(&Stored { version: VERSION, routing: fresh()?, keys: vec![key] })
}

/// The secret with a fresh encryption key, and without those that were replaced longer than `overlap_seconds` ago.
///
/// # Errors
/// Where the secret has a wrong form.
#[wasm_bindgen]
pub fn rotate(secret: &JsValue, now_seconds: f64, overlap_seconds: f64) -> Result<JsValue, JsValue> {
    let (now, overlap) = (whole(now_seconds), whole(overlap_seconds));
    let mut stored = read_stored(secret)?;
    Secret::read(secret)?;
    let mut replaced_at = now;
    stored.keys.retain(|key| {
        let keep = replaced_at.saturating_add(overlap) > now || replaced_at == now;
        replaced_at = key.created_at;
        keep
    });
    stored.keys.insert(0, StoredKey { key: fresh()?, created_at: now });
    stored.keys.truncate(MAX_KEYS);
    write(&stored)
}
