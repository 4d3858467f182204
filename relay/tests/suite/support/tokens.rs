//! Apps and the tokens that they sign.

use sealwire_protocol::{
    Scope, UnixSeconds, encode_base64url,
    tokens::{self, BackendClaims, ChannelClaims, Permissions, SessionClaims, SigningKey},
};
use std::time::{SystemTime, UNIX_EPOCH};

pub const APP: &str = "ari:cloud:ecosystem::app/one";
pub const INSTALLATION: &str = "ari:cloud:jira::site/one";

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// An app with its signing key.
#[derive(Clone)]
pub struct App {
    pub id: String,
    pub key: SigningKey,
    pub key_text: String,
}

impl App {
    /// Creates an app whose signing secret consists of one repeated byte.
    pub fn new(id: &str, kid: &str, byte: u8) -> Self {
        let key_text = format!("{kid}.{}", encode_base64url([byte; 64]));
        Self { id: id.into(), key: SigningKey::parse(&key_text).unwrap(), key_text }
    }

    pub fn one() -> Self {
        Self::new(APP, "one", 1)
    }

    /// Returns the context of every session.
    pub fn context() -> Scope {
        let mut context = Scope::default();
        context.insert("module", "absences").unwrap();
        context.insert("dashboard", "10001").unwrap();
        context
    }

    pub fn claims(&self, account: &str, can: Permissions, (iat, exp): (u64, u64)) -> SessionClaims {
        SessionClaims::new(
            self.id.clone(),
            INSTALLATION.into(),
            account.into(),
            Self::context(),
            can,
            (UnixSeconds(iat), UnixSeconds(exp)),
        )
    }

    pub fn session(&self, account: &str) -> String {
        self.session_until(account, now() + 600)
    }

    pub fn session_until(&self, account: &str, exp: u64) -> String {
        tokens::sign(&self.claims(account, Permissions::ALL, (now() - 5, exp)), &self.key).unwrap()
    }

    pub fn channel_token(&self, name: &str, tag: u8, can: Permissions, exp: u64) -> String {
        self.channel_token_in(INSTALLATION, name, tag, can, exp)
    }

    pub fn channel_token_in(
        &self,
        installation: &str,
        name: &str,
        tag: u8,
        can: Permissions,
        exp: u64,
    ) -> String {
        let times = (UnixSeconds(now() - 5), UnixSeconds(exp));
        let claims =
            ChannelClaims::new(self.id.clone(), installation.into(), name.into(), [tag; 32], can, times);
        tokens::sign(&claims, &self.key).unwrap()
    }

    pub fn backend(&self) -> String {
        let times = (UnixSeconds(now() - 5), UnixSeconds(now() + 120));
        tokens::sign(&BackendClaims::new(self.id.clone(), INSTALLATION.into(), times), &self.key).unwrap()
    }
}
