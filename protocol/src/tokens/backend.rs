//! Backend tokens, which permit a resolver to publish for one installation over HTTP.

use super::{Claims, TokenError, claims::implement_claims};
use crate::{UnixSeconds, limits};
use alloc::string::String;
use serde::{Deserialize, Serialize};

/// The claims of a backend token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendClaims {
    aud: String,
    /// The app.
    pub iss: String,
    /// The installation.
    pub ins: String,
    /// The time of issue.
    pub iat: UnixSeconds,
    /// The time of expiry.
    pub exp: UnixSeconds,
}

impl BackendClaims {
    /// Creates the claims for one installation, from the time of issue to the time of expiry.
    #[must_use]
    pub fn new(app: String, installation: String, (iat, exp): (UnixSeconds, UnixSeconds)) -> Self {
        Self { aud: Self::AUDIENCE.into(), iss: app, ins: installation, iat, exp }
    }
}

implement_claims!(
    BackendClaims,
    audience: "sealwire:backend",
    max_lifetime: limits::MAX_BACKEND_TOKEN_LIFETIME,
    check: |_claims| Ok(())
);
