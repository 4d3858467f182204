//! Session grants, as the app's resolver returns them.

use crate::load::sealwire;
use anyhow::Result;
use sealwire_client::{GrantKey, SessionGrant};
use sealwire_protocol::{EncryptionKey, Scope, UnixMillis, UnixSeconds};
use std::time::SystemTime;

/// Grants sessions to any number of accounts of one installation.
pub(super) struct Grants {
    context: Scope,
    key: GrantKey,
}

impl Grants {
    pub(super) fn new() -> Result<Self> {
        let context = sealwire::context()?;
        let keys = EncryptionKey::new([9; 32]).scope_keys(sealwire::APP, sealwire::INSTALLATION, &context);
        Ok(Self { key: GrantKey::new(&keys, String::new()), context })
    }

    /// Returns the session of an account. Its address is a placeholder, since each page has an address of its own.
    pub(super) fn grant(&self, account: usize) -> Result<SessionGrant> {
        let (token, expires_at) = sealwire::session_token(account)?;
        Ok(SessionGrant {
            url: "ws://127.0.0.1/v1/realtime".into(),
            token,
            issued_at_ms: now_ms(),
            expires_at: UnixSeconds(expires_at.0),
            app: sealwire::APP.into(),
            installation: sealwire::INSTALLATION.into(),
            context: self.context.clone(),
            keys: vec![self.key.clone()],
            name_tag_key: None,
        })
    }
}

fn now_ms() -> UnixMillis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
