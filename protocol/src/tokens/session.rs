//! Session tokens, which state the account of a session and the context that it may use.

use super::{Claims, Permissions, TokenError, claims::implement_claims};
use crate::{Scope, UnixSeconds, limits};
use alloc::string::String;
use core::fmt;
use serde::{Deserialize, Serialize};

/// The claims of a session token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionClaims {
    aud: String,
    /// The app.
    pub iss: String,
    /// The account id, for limits, revocations and the audit log.
    pub sub: String,
    /// The installation.
    pub ins: String,
    /// The context of the module that the session was issued for.
    pub ctx: Scope,
    /// The permissions of the session.
    pub can: Permissions,
    /// The time of issue.
    pub iat: UnixSeconds,
    /// The time of expiry, at which the session ends.
    pub exp: UnixSeconds,
}

impl SessionClaims {
    /// Creates the claims for one account in one context, from the time of issue to the time of expiry.
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

implement_claims!(
    SessionClaims,
    audience: "sealwire:session",
    max_lifetime: limits::MAX_TOKEN_LIFETIME,
    check: |claims| {
        let sized = (1..=limits::MAX_ACCOUNT).contains(&claims.sub.len());
        if sized { Ok(()) } else { Err(TokenError::Malformed) }
    }
);

/// The output omits account and context, which are personal data.
impl fmt::Debug for SessionClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionClaims")
            .field("iss", &self.iss)
            .field("can", &self.can)
            .field("exp", &self.exp)
            .finish_non_exhaustive()
    }
}
