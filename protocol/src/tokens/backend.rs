//! Backend tokens: a resolver's right to publish for one installation.

use super::Claims;
use crate::{UnixSeconds, limits};
use alloc::string::String;
use serde::{Deserialize, Serialize};

/// The claims of a backend token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendClaims {
    aud: String,
    /// App.
    pub iss: String,
    /// Installation.
    pub ins: String,
    /// Issued at.
    pub iat: UnixSeconds,
    /// End of the token.
    pub exp: UnixSeconds,
}

impl BackendClaims {
    /// Claims for one installation.
    #[must_use]
    pub fn new(app: String, installation: String, (iat, exp): (UnixSeconds, UnixSeconds)) -> Self {
        Self { aud: Self::AUDIENCE.into(), iss: app, ins: installation, iat, exp }
    }
}

impl Claims for BackendClaims {
    const AUDIENCE: &'static str = "sealwire:backend";
    const MAX_LIFETIME: u64 = limits::MAX_BACKEND_TOKEN_LIFETIME;

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
}
