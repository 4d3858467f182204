//! Session tokens: who a connection is and which context it may use.

use super::{Claims, Permissions, TokenError};
use crate::{Scope, UnixSeconds, limits};
use alloc::string::String;
use core::fmt;
use serde::{Deserialize, Serialize};

/// The claims of a session token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionClaims {
    aud: String,
    /// App.
    pub iss: String,
    /// Account id; for the audit log only.
    pub sub: String,
    /// Installation.
    pub ins: String,
    /// Context of the module that the session was minted for.
    pub ctx: Scope,
    /// What the session may do.
    pub can: Permissions,
    /// Issued at.
    pub iat: UnixSeconds,
    /// End of the session.
    pub exp: UnixSeconds,
}

impl SessionClaims {
    /// Claims for one account in one context.
    #[must_use]
    pub fn new(
        app: String,
        installation: String,
        account: String,
        context: Scope,
        can: Permissions,
        (iat, exp): (UnixSeconds, UnixSeconds),
    ) -> Self {
        Self {
            aud: Self::AUDIENCE.into(),
            iss: app,
            sub: account,
            ins: installation,
            ctx: context,
            can,
            iat,
            exp,
        }
    }
}

impl Claims for SessionClaims {
    const AUDIENCE: &'static str = "sealwire:session";
    const MAX_LIFETIME: u64 = limits::MAX_TOKEN_LIFETIME;

    fn audience(&self) -> &str {
        &self.aud
    }
    fn app(&self) -> &str {
        &self.iss
    }
    fn installation(&self) -> &str {
        &self.ins
    }
    fn issued_at(&self) -> UnixSeconds {
        self.iat
    }
    fn expires_at(&self) -> UnixSeconds {
        self.exp
    }
    fn check(&self) -> Result<(), TokenError> {
        if (1..=limits::MAX_ACCOUNT).contains(&self.sub.len()) { Ok(()) } else { Err(TokenError::Malformed) }
    }
}

/// Without account and context: they say who somebody is and what they look at.
impl fmt::Debug for SessionClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionClaims")
            .field("iss", &self.iss)
            .field("can", &self.can)
            .field("exp", &self.exp)
            .finish_non_exhaustive()
    }
}
