//! The session grant that the app's resolver returns. [`crate::state::session`] checks it before use.

use crate::ClientError;
use core::fmt;
use sealwire_protocol::{Code, Scope, ScopeKeys, UnixMillis, UnixSeconds};
use serde::{Deserialize, Serialize};

/// The answer of the resolver function `sealwire:session`, as JSON. Contains keys: never log it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionGrant {
    /// The relay's address: `wss://…`, or `ws://` on this machine.
    pub url: String,
    /// The session token.
    pub token: String,
    /// The time at which the backend created the grant, by its own clock. The client dates its messages by this clock, and
    /// refuses old ones by it.
    pub issued_at_ms: UnixMillis,
    /// The token's `exp` claim.
    pub expires_at: UnixSeconds,
    /// The app id.
    pub app: String,
    /// The installation id.
    pub installation: String,
    /// The token's `ctx` claim.
    pub context: Scope,
    /// The keys of the context, newest first.
    pub keys: Vec<GrantKey>,
    /// The key of name tags in base64url, if the relay sees tags in place of channel and event names. The values of
    /// [`Self::context`] are then tags as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_tag_key: Option<String>,
}

/// The keys of the grant's context under one encryption key, in base64url.
#[derive(Clone, Serialize, Deserialize)]
pub struct GrantKey {
    /// The id of the encryption key.
    pub id: String,
    /// The scope keys of all subsets of the context, as [`ScopeKeys::to_text`] writes them.
    pub scopes: String,
    /// The public key that verifies the signatures of functions and the certificates of pages: a point of P-256 without
    /// compression, 65 bytes.
    pub signer: String,
    /// The certificate of the page's key, as [`sealwire_protocol::Certificate::to_base64url`] writes it, if the request asked for
    /// one and the user has an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

impl GrantKey {
    /// Creates the grant of the keys under one encryption key, with the public key of its functions in base64url.
    #[must_use]
    pub fn new(keys: &ScopeKeys, signer: String) -> Self {
        Self { id: keys.id().to_string(), scopes: keys.to_text(), signer, certificate: None }
    }
}

/// The rule that a grant breaks. Names the field, never its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
#[non_exhaustive]
pub enum InvalidGrant {
    /// The address is not a WebSocket address, or lacks TLS although it names another machine.
    Url,
    /// The field is empty or too long.
    Size(&'static str),
    /// The keys are not base64url, repeat an id, or do not cover each subset of the context.
    Keys,
    /// The grant is for another app, installation or context than the previous session, or has another key of name tags.
    Identity,
}

impl InvalidGrant {
    /// Returns the text for people. It is not made by a formatter, so that the core for pages contains none.
    fn message(self) -> String {
        match self {
            Self::Url => {
                "the session's url must be wss://, or ws:// to this machine; check SEALWIRE_URL".into()
            }
            Self::Size(field) => {
                ["the session's ", field, " is empty or too long; create it with sealwire/resolver"].concat()
            }
            Self::Keys => {
                "the session's keys are not those of its context; create it with sealwire/resolver".into()
            }
            Self::Identity => {
                "the session is for another app, installation, context or setting of blindNames than the client's open \
                 channels; reload the page"
                    .into()
            }
        }
    }
}

impl From<InvalidGrant> for ClientError {
    fn from(invalid: InvalidGrant) -> Self {
        let code = match invalid {
            InvalidGrant::Identity => Code::TokenIdentity,
            // A repeated call of the same function returns the same grant, so the code is not retryable.
            _ => Code::InvalidArgument,
        };
        Self::new(code, invalid.message())
    }
}

/// Omits the token and the keys.
impl fmt::Debug for SessionGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionGrant").field("url", &self.url).finish_non_exhaustive()
    }
}
