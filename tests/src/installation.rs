//! One installation of one app: mints the tokens that a resolver would.

use sealwire_protocol::{
    ChannelAddress, ChannelId, ChannelKey, EncryptionKey, Scope, UnixSeconds,
    tokens::{BackendClaims, Permissions, SessionClaims, SigningKey, sign},
};
use std::time::SystemTime;

/// An app's installation, with its own encryption key.
pub struct Installation {
    /// App id.
    pub app: String,
    /// Installation id.
    pub id: String,
    /// `<kid>.<base64url secret>`
    pub signing_key: String,
    /// The installation's encryption key.
    pub encryption_key: [u8; 32],
}

/// The wall clock in whole seconds.
#[must_use]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Installation {
    /// An installation of the app `id`, whose signing key and encryption key are random.
    #[must_use]
    pub fn new(app: &str) -> Self {
        let random = |length: usize| {
            let mut bytes = vec![0; length];
            getrandom::fill(&mut bytes).expect("the system has randomness");
            bytes
        };
        Self {
            app: app.into(),
            id: format!("ari:cloud:jira::site/{app}"),
            signing_key: format!("{app}-1.{}", sealwire_protocol::encode_base64url(random(64))),
            encryption_key: random(32).try_into().expect("32 bytes were asked for"),
        }
    }

    fn key(&self) -> SigningKey {
        SigningKey::parse(&self.signing_key).expect("the key was made well-formed")
    }

    /// A session token for `account` in `context`.
    #[must_use]
    pub fn session(&self, account: &str, context: &Scope, lifetime: u64) -> String {
        let times = (UnixSeconds(now()), UnixSeconds(now() + lifetime));
        let claims = SessionClaims::new(
            self.app.clone(),
            self.id.clone(),
            account.into(),
            context.clone(),
            Permissions::ALL,
            times,
        );
        sign(&claims, &self.key()).expect("the claims are within the limits")
    }

    /// A backend token.
    #[must_use]
    pub fn backend(&self) -> String {
        let claims = BackendClaims::new(
            self.app.clone(),
            self.id.clone(),
            (UnixSeconds(now()), UnixSeconds(now() + 60)),
        );
        sign(&claims, &self.key()).expect("the claims are within the limits")
    }

    /// The id of a channel without claims.
    #[must_use]
    pub fn channel_id(&self, scope: &Scope, name: &str) -> ChannelId {
        ChannelAddress { app: &self.app, installation: &self.id, scope, claims_tag: None, name }.id()
    }

    /// The key of a channel without claims.
    #[must_use]
    pub fn channel_key(&self, scope: &Scope, name: &str) -> ChannelKey {
        EncryptionKey::new(self.encryption_key).scope_key(&self.app, &self.id, scope).channel_key(None, name)
    }
}
