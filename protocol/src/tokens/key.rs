//! Signing keys: which app each belongs to, and which one a token names by `kid`.

use crate::{base64url, limits};
use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;
use zeroize::Zeroizing;

/// A shared secret of an app's resolver and the relay. Written as `<kid>.<base64url secret>`.
#[derive(Clone)]
pub struct SigningKey {
    id: String,
    secret: Zeroizing<Vec<u8>>,
}

/// A signing key that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSigningKey {
    /// Not `<kid>.<base64url secret>`.
    #[error("a signing key is written '<kid>.<base64url secret>'; make one with 'sealwire-relay init'")]
    Format,
    /// The key id is empty, too long or not of `A-Z a-z 0-9 _ -`.
    #[error("a signing key's kid is 1 to {max} of A-Z a-z 0-9 _ -", max = limits::MAX_KEY_ID)]
    Id,
    /// The secret is too short or too long.
    #[error("a signing secret has {min} to {max} bytes, {0} were given", min = limits::MIN_SIGNING_SECRET, max = limits::MAX_SIGNING_SECRET)]
    Length(usize),
    /// Two keys have the same id.
    #[error("two signing keys have the kid '{0}'; every kid is used once across all apps")]
    Repeated(String),
}

impl SigningKey {
    /// From an id and at least [`limits::MIN_SIGNING_SECRET`] random bytes.
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

    /// From `<kid>.<base64url secret>`.
    ///
    /// # Errors
    /// [`InvalidSigningKey`].
    pub fn parse(text: &str) -> Result<Self, InvalidSigningKey> {
        let (id, secret) = text.trim().split_once('.').ok_or(InvalidSigningKey::Format)?;
        Self::new(id, base64url::decode(secret).ok_or(InvalidSigningKey::Format)?)
    }

    /// The `kid`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether both have the same id and secret. For two configurations of one relay, which are nobody's guess: takes
    /// no constant time.
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
    /// Adds a key of an app. An app may have several, so that a new one can be introduced before the old one goes.
    ///
    /// # Errors
    /// [`InvalidSigningKey::Repeated`] where its `kid` is taken, also by another app.
    pub fn insert(&mut self, app: &str, key: SigningKey) -> Result<(), InvalidSigningKey> {
        if self.0.contains_key(key.id()) {
            return Err(InvalidSigningKey::Repeated(key.id));
        }
        self.0.insert(key.id.clone(), (app.to_string(), key));
        Ok(())
    }

    /// Every `kid` with its app, in the order of the `kid`s.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(kid, (app, _))| (kid.as_str(), app.as_str()))
    }

    /// The app and key that a `kid` stands for.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<(&str, &SigningKey)> {
        self.0.get(id).map(|(app, key)| (app.as_str(), key))
    }
}
