//! An app's installation, which mints the tokens that its resolver would mint.

use sealwire_client::{GrantKey, SessionGrant};
use sealwire_protocol::{
    ChannelAddress, ChannelId, ChannelKey, EncryptionKey, Scope, UnixSeconds,
    tokens::{BackendClaims, Permissions, SessionClaims, SigningKey, sign},
};
use std::time::SystemTime;

/// An app's installation with its keys.
pub struct Installation {
    /// The app's id.
    pub app: String,
    /// The installation's id.
    pub id: String,
    /// The key that signs its tokens: `<kid>.<base64url secret>`.
    pub signing_key: String,
    /// The installation's encryption key.
    pub encryption_key: [u8; 32],
}

/// Returns the wall-clock time in whole seconds since 1970.
#[must_use]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Installation {
    /// Creates an installation of `app` with random keys.
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
            encryption_key: random(32).try_into().expect("the array has 32 bytes"),
        }
    }

    fn key(&self) -> SigningKey {
        SigningKey::parse(&self.signing_key).expect("the signing key is well-formed")
    }

    /// Mints a session token for `account` in `context`, valid for `lifetime` seconds.
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

    /// Returns the session that the app's resolver would grant, for a relay at `url`.
    #[must_use]
    pub fn grant(&self, account: &str, context: &Scope, url: &str, lifetime: u64) -> SessionGrant {
        let keys = EncryptionKey::new(self.encryption_key).scope_keys(&self.app, &self.id, context);
        SessionGrant {
            url: url.to_owned(),
            token: self.session(account, context, lifetime),
            issued_at_ms: UnixSeconds(now()).millis(),
            expires_at: UnixSeconds(now() + lifetime),
            app: self.app.clone(),
            installation: self.id.clone(),
            context: context.clone(),
            keys: vec![GrantKey::new(&keys, String::new())],
            name_tag_key: None,
        }
    }

    /// Mints a backend token, valid for 60 seconds.
    #[must_use]
    pub fn backend(&self) -> String {
        let claims = BackendClaims::new(
            self.app.clone(),
            self.id.clone(),
            (UnixSeconds(now()), UnixSeconds(now() + 60)),
        );
        sign(&claims, &self.key()).expect("the claims are within the limits")
    }

    /// Returns the id of a channel without claims.
    #[must_use]
    pub fn channel_id(&self, scope: &Scope, name: &str) -> ChannelId {
        ChannelAddress { app: &self.app, installation: &self.id, scope, claims_tag: None, name }.id()
    }

    /// Derives the key of a channel without claims.
    #[must_use]
    pub fn channel_key(&self, scope: &Scope, name: &str) -> ChannelKey {
        EncryptionKey::new(self.encryption_key).scope_key(&self.app, &self.id, scope).channel_key(None, name)
    }
}
