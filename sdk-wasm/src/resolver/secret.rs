//! The secret of an installation: a routing key that never changes, and encryption keys, newest first. Each encryption key has
//! a signing key, with which functions sign the messages that they seal under it.
//!
//! A key stays in use for [`limits::KEY_OVERLAP`] after it was replaced. After that, readers skip it and the next
//! rotation deletes it.

use super::{
    objects::{integer, read, write},
    random,
};
use crate::{
    convert::whole,
    error::{invalid_argument, retry_later},
    fields::{list, property, text},
};
use sealwire_protocol::{
    Code, EncryptionKey, RoutingKey, decimal, decode_base64url, encode_base64url, limits,
};
use serde::Serialize;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

const VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    version: u32,
    routing: String,
    keys: Vec<StoredKey>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StoredKey {
    key: String,
    created_at: u64,
    signing: SigningKey,
}

/// A key pair of ECDSA with P-256: the private key `d` and the point `(x, y)` of the public key, as in a JWK. The host, which
/// has the algorithm, creates it.
#[derive(Clone, Serialize)]
pub(super) struct SigningKey {
    d: String,
    x: String,
    y: String,
}

impl SigningKey {
    fn fields(key: &JsValue) -> Option<Self> {
        Some(Self { d: text(key, "d")?, x: text(key, "x")?, y: text(key, "y")? })
    }

    fn is_well_formed(&self) -> bool {
        [&self.d, &self.x, &self.y].into_iter().all(|number| decode(number).is_some())
    }

    /// Returns the public key as an uncompressed point, in base64url.
    pub(super) fn public(&self) -> Option<String> {
        Some(encode_base64url([&[4][..], &decode(&self.x)?, &decode(&self.y)?].concat()))
    }
}

impl StoredKey {
    fn fields(key: &JsValue) -> Option<Self> {
        Some(Self {
            key: text(key, "key")?,
            created_at: integer(key, "createdAt")?,
            signing: SigningKey::fields(&property(key, "signing"))?,
        })
    }
}

impl Stored {
    fn fields(secret: &JsValue) -> Option<Self> {
        let keys = list(property(secret, "keys"))?;
        Some(Self {
            version: integer(secret, "version")?.try_into().ok()?,
            routing: text(secret, "routing")?,
            keys: keys.iter().map(|key| StoredKey::fields(&key)).collect::<Option<_>>()?,
        })
    }

    fn read(value: &JsValue) -> Result<Self, JsValue> {
        let stored = read(value, "the installation's secret", Self::fields)?;
        let is_key = |text: &str| decode(text).is_some();
        let is_valid = |stored: &StoredKey| is_key(&stored.key) && stored.signing.is_well_formed();
        let keys_are_valid = !stored.keys.is_empty() && stored.keys.iter().all(is_valid);
        if stored.version == VERSION && is_key(&stored.routing) && keys_are_valid {
            Ok(stored)
        } else {
            Err(malformed_secret())
        }
    }

    /// Drops the keys whose overlap has ended.
    fn drop_ended(&mut self, now: u64) {
        let mut replaced_at = None;
        self.keys.retain(|key| {
            let ends_at = replaced_at.map(ends_at);
            replaced_at = Some(key.created_at);
            ends_at.is_none_or(|end| end > now)
        });
    }
}

/// Returns the time at which a key leaves use, given the time of its replacement.
fn ends_at(replaced_at: u64) -> u64 {
    replaced_at.saturating_add(limits::KEY_OVERLAP)
}

/// A well-formed secret with the keys that are in use.
pub(super) struct Secret {
    pub(super) routing: RoutingKey,
    /// The encryption keys with their signing keys, newest first. There is at least one.
    pub(super) keys: Vec<(EncryptionKey, SigningKey)>,
}

impl Secret {
    /// Reads a secret. `now` is in seconds since 1970.
    pub(super) fn read(value: &JsValue, now: u64) -> Result<Self, JsValue> {
        let mut stored = Stored::read(value)?;
        stored.drop_ended(now);
        stored.keys.truncate(limits::MAX_KEY_VERSIONS);
        let keys = stored.keys.into_iter().map(|stored| {
            let key = decode(&stored.key).map(EncryptionKey::new)?;
            Some((key, stored.signing))
        });
        match (decode(&stored.routing).map(RoutingKey::new), keys.collect()) {
            (Some(routing), Some(keys)) => Ok(Self { routing, keys }),
            _ => Err(malformed_secret()),
        }
    }
}

/// Reads the routing key of a secret.
pub(super) fn routing_key(value: &JsValue) -> Result<RoutingKey, JsValue> {
    decode(&Stored::read(value)?.routing).map(RoutingKey::new).ok_or_else(malformed_secret)
}

pub(super) fn malformed_secret() -> JsValue {
    invalid_argument("the installation's secret was not created by newInstallationSecret()")
}

fn decode(text: &str) -> Option<[u8; 32]> {
    decode_base64url(text)?.try_into().ok()
}

fn random_key() -> Result<String, JsValue> {
    Ok(encode_base64url(random::bytes::<32>()?))
}

/// Creates a secret with a random routing key and one random encryption key. `signing` is a new key pair `{ d, x, y }` of
/// ECDSA with P-256, as in a JWK.
///
/// # Errors
/// An error if `signing` is malformed, or an error with the code `UNREACHABLE` if the runtime has no source of randomness.
#[wasm_bindgen(js_name = newInstallationSecret)]
pub fn new_installation_secret(now_seconds: f64, signing: &JsValue) -> Result<JsValue, JsValue> {
    let key = new_key(whole(now_seconds), signing)?;
    write(&Stored { version: VERSION, routing: random_key()?, keys: vec![key] })
}

fn new_key(created_at: u64, signing: &JsValue) -> Result<StoredKey, JsValue> {
    let signing = read(signing, "the signing key", SigningKey::fields)?;
    if !signing.is_well_formed() {
        return Err(invalid_argument("the signing key is not a JWK of ECDSA with P-256 with d, x and y"));
    }
    Ok(StoredKey { key: random_key()?, created_at, signing })
}

/// Returns the secret with a new encryption key and without the keys whose overlap has ended. `signing` is a new key pair, as
/// for `newInstallationSecret`.
///
/// # Errors
/// An error if an argument is malformed, or if it already holds the maximum number of keys and all are in use.
#[wasm_bindgen]
pub fn rotate(secret: &JsValue, now_seconds: f64, signing: &JsValue) -> Result<JsValue, JsValue> {
    let now = whole(now_seconds);
    let mut stored = Stored::read(secret)?;
    for key in &mut stored.keys {
        // A clock that was ahead at an earlier rotation must not keep a key in use for longer.
        key.created_at = key.created_at.min(now);
    }
    stored.drop_ended(now);
    if let [.., replacement, _] = &stored.keys[..]
        && stored.keys.len() >= limits::MAX_KEY_VERSIONS
    {
        return Err(too_often(ends_at(replacement.created_at).saturating_sub(now)));
    }
    stored.keys.insert(0, new_key(now, signing)?);
    write(&stored)
}

fn too_often(wait_seconds: u64) -> JsValue {
    let (max, wait) = (decimal(limits::MAX_KEY_VERSIONS as u64), decimal(wait_seconds));
    let message = [
        "rotateKey() was called too often: ",
        &max,
        " encryption keys of this installation are still in use; call it again in ",
        &wait,
        " seconds",
    ];
    let wait = u32::try_from(wait_seconds).unwrap_or(u32::MAX);
    retry_later(Code::RateLimited, &message.concat(), f64::from(wait) * 1000.0)
}
