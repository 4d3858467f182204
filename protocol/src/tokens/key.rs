//! Signing keys, and the keyring in which a relay finds the key of a token by its `kid`.

use crate::{base64url, limits};
use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;
use zeroize::Zeroizing;

/// A secret that an app's resolver and the relay share. The text form is `<kid>.<base64url secret>`.
#[derive(Clone)]
pub struct SigningKey {
    id: String,
    secret: Zeroizing<Vec<u8>>,
}

/// The error for an invalid signing key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSigningKey {
    /// The text is not `<kid>.<base64url secret>`.
    #[error("a signing key has the form '<kid>.<base64url secret>'; create one with 'sealwire-relay init'")]
    Format,
    /// The key id is empty, too long or has a character other than `A-Z a-z 0-9 _ -`.
    #[error("a signing key's kid has 1 to {max} characters of A-Z a-z 0-9 _ -", max = limits::MAX_KEY_ID)]
    Id,
    /// The secret is too short or too long.
    #[error("a signing secret has {min} to {max} bytes, {0} were given", min = limits::MIN_SIGNING_SECRET, max = limits::MAX_SIGNING_SECRET)]
    Length(usize),
    /// Two keys have the same id.
    #[error("two signing keys have the kid '{0}'; give every key of every app a kid of its own")]
    Repeated(String),
}

impl SigningKey {
    /// Creates a key from an id and at least [`limits::MIN_SIGNING_SECRET`] random bytes.
    ///
    /// # Errors
    /// [`InvalidSigningKey`] for an id or a secret outside the limits.
    pub fn new(id: &str, secret: Vec<u8>) -> Result<Self, InvalidSigningKey> {
        let secret = Zeroizing::new(secret);
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if id.is_empty() || id.len() > limits::MAX_KEY_ID || !id.bytes().all(allowed) {
            return Err(InvalidSigningKey::Id);
        }
        if !(limits::MIN_SIGNING_SECRET..=limits::MAX_SIGNING_SECRET).contains(&secret.len()) {
            return Err(InvalidSigningKey::Length(secret.len()));
        }
        Ok(Self { id: id.to_string(), secret })
    }

    /// Reads a key in the form `<kid>.<base64url secret>`.
    ///
    /// # Errors
    /// [`InvalidSigningKey`] for another form, or for an id or a secret outside the limits.
    pub fn parse(text: &str) -> Result<Self, InvalidSigningKey> {
        let (id, secret) = text.trim().split_once('.').ok_or(InvalidSigningKey::Format)?;
        Self::new(id, base64url::decode(secret).ok_or(InvalidSigningKey::Format)?)
    }

    /// Returns the `kid`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns whether both keys have the same id and secret. The comparison does not take constant time, so it is only
    /// for two configurations of the same relay, neither of which an attacker controls.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        (&self.id, &*self.secret) == (&other.id, &*other.secret)
    }

    pub(super) fn secret(&self) -> &[u8] {
        &self.secret
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The signing keys that a relay accepts, by `kid`.
#[derive(Clone, Debug, Default)]
pub struct Keyring(BTreeMap<String, (String, SigningKey)>);

impl Keyring {
    /// Adds a key of an app. An app may have several keys, so that it can introduce a new one before it removes the old
    /// one.
    ///
    /// # Errors
    /// [`InvalidSigningKey::Repeated`] if a key of this or another app has the same `kid`.
    pub fn insert(&mut self, app: &str, key: SigningKey) -> Result<(), InvalidSigningKey> {
        if self.0.contains_key(key.id()) {
            return Err(InvalidSigningKey::Repeated(key.id));
        }
        self.0.insert(key.id.clone(), (app.to_string(), key));
        Ok(())
    }

    /// Iterates over every `kid` and its app, sorted by `kid`.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(kid, (app, _))| (kid.as_str(), app.as_str()))
    }

    /// Returns the app and the key with this `kid`.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<(&str, &SigningKey)> {
        self.0.get(id).map(|(app, key)| (app.as_str(), key))
    }
}
