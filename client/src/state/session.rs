//! A session grant: what the app's resolver hands to a client, and the checks that it must pass before it is used.

use crate::{
    ClientError, Instant,
    time::{Now, RelayClock},
};
use core::fmt;
use sealwire_protocol::{
    ChannelKey, ClaimsKeyring, Code, KeyId, Scope, ScopeKeys, UnixSeconds, decode_base64url, limits,
};
use serde::{Deserialize, Serialize};

const MAX_URL: usize = 2048;
/// How long a session is trusted that looks expired by a wall clock which nobody vouches for.
const DOUBTFUL_MS: u64 = 30_000;

/// What the resolver function `sealwire:session` answers, as JSON. Holds keys: never log it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionGrant {
    /// The relay: `wss://…`, or `ws://` to this machine.
    pub url: String,
    /// Session token.
    pub token: String,
    /// Its `exp`.
    pub expires_at: UnixSeconds,
    /// App id.
    pub app: String,
    /// Installation id.
    pub installation: String,
    /// Its `ctx`.
    pub context: Scope,
    /// Newest first.
    pub keys: Vec<GrantKey>,
}

/// The keys of the grant's context under one encryption key, in base64url.
#[derive(Clone, Serialize, Deserialize)]
pub struct GrantKey {
    /// Key id.
    pub id: String,
    /// The scope keys of all subsets of the context, as [`ScopeKeys::to_text`] writes them.
    pub scopes: String,
}

impl From<&ScopeKeys> for GrantKey {
    fn from(keys: &ScopeKeys) -> Self {
        Self { id: keys.id().to_string(), scopes: keys.to_text() }
    }
}

/// A grant that breaks a rule; names the field, never its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidGrant {
    /// Not a WebSocket address, or one without TLS to another machine.
    #[error("the session's url must be wss://, or ws:// to this machine; check SEALWIRE_URL")]
    Url,
    /// Empty or too long.
    #[error("the session's {0} is empty or too long; mint it with sealwire/resolver")]
    Size(&'static str),
    /// Not base64url, repeated, or not one for each subset of the context.
    #[error("the session's keys are not those of its context; mint it with sealwire/resolver")]
    Keys,
    /// Of another app, installation or context than the session before.
    #[error("the session is for another app, installation or context than the one that the client runs in")]
    Identity,
}

impl From<InvalidGrant> for ClientError {
    fn from(invalid: InvalidGrant) -> Self {
        let code = match invalid {
            InvalidGrant::Identity => Code::TokenIdentity,
            // Asking the same function again brings the same grant, so the code is not retryable.
            _ => Code::InvalidArgument,
        };
        Self::new(code, invalid.to_string())
    }
}

/// Who the client is; the same for as long as it has a channel.
#[derive(PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) app: String,
    pub(crate) installation: String,
    pub(crate) context: Scope,
}

/// A grant that passed.
pub(crate) struct Session {
    pub(crate) url: String,
    pub(crate) token: String,
    /// The token's subject, where it is found. Only ever compared with itself.
    pub(crate) sender: String,
    keys: Vec<ScopeKeys>,
    expires: Instant,
    lifetime_ms: u64,
}

impl Session {
    pub(crate) fn check(
        grant: SessionGrant,
        now: Now,
        relay: Option<RelayClock>,
    ) -> Result<(Self, Identity), InvalidGrant> {
        let SessionGrant { url, token, expires_at, app, installation, context, keys } = grant;
        check_url(&url)?;
        check_size("token", &token, limits::MAX_TOKEN)?;
        check_size("app", &app, limits::MAX_APP)?;
        check_size("installation", &installation, limits::MAX_INSTALLATION)?;
        let keys = check_keys(&keys, &context)?;
        let clock = relay.map_or(now.unix.0, |relay| relay.at(now.instant));
        let mut lifetime_ms =
            expires_at.millis().0.saturating_sub(clock).min(limits::MAX_TOKEN_LIFETIME * 1000);
        if relay.is_none() {
            lifetime_ms = lifetime_ms.max(DOUBTFUL_MS);
        }
        let expires = now.instant.after(lifetime_ms);
        let sender = subject(&token).unwrap_or_default();
        Ok((Self { url, token, sender, keys, expires, lifetime_ms }, Identity { app, installation, context }))
    }

    /// The relay said when it ends.
    pub(crate) fn ends_in(&mut self, now: Instant, lifetime_ms: u64) {
        self.lifetime_ms = lifetime_ms.min(limits::MAX_TOKEN_LIFETIME * 1000);
        self.expires = now.after(self.lifetime_ms);
    }

    /// Whether it will outlast another attempt to connect.
    pub(crate) fn is_fresh(&self, now: Instant) -> bool {
        self.expires.0.saturating_sub(now.0) > (self.lifetime_ms / 5).min(5_000)
    }

    /// How long it still lasts.
    pub(crate) fn remaining_ms(&self, now: Instant) -> u64 {
        self.expires.0.saturating_sub(now.0)
    }

    pub(crate) fn has_key(&self, id: KeyId) -> bool {
        self.keys.iter().any(|keys| keys.id() == id)
    }

    /// The keys of a channel, newest first: one for each encryption key that the claims have a key for as well.
    pub(crate) fn channel_keys(
        &self,
        scope: &Scope,
        claims: Option<&ClaimsKeyring>,
        name: &str,
    ) -> Vec<ChannelKey> {
        self.keys
            .iter()
            .filter_map(|keys| {
                let key = keys.scope_key(scope)?;
                match claims {
                    None => Some(key.channel_key(None, name)),
                    Some(claims) => Some(key.channel_key(Some(claims.find(keys.id())?), name)),
                }
            })
            .collect()
    }
}

/// The subject of a JWT, as its JSON spells it: the relay verifies the token, and this only tells senders apart.
fn subject(token: &str) -> Option<String> {
    let payload = decode_base64url(token.split('.').nth(1)?)?;
    let payload = String::from_utf8(payload).ok()?;
    let (_, rest) = payload.split_once("\"sub\":\"")?;
    rest.split('"').next().map(Into::into)
}

fn check_size(field: &'static str, text: &str, max: usize) -> Result<(), InvalidGrant> {
    if (1..=max).contains(&text.len()) { Ok(()) } else { Err(InvalidGrant::Size(field)) }
}

/// The token travels over it, so without TLS it stays on this machine.
fn check_url(url: &str) -> Result<(), InvalidGrant> {
    if url.len() > MAX_URL || url.bytes().any(|byte| byte.is_ascii_control() || byte == b' ') {
        return Err(InvalidGrant::Url);
    }
    if let Some(rest) = url.strip_prefix("wss://") {
        return if host(rest).is_empty() { Err(InvalidGrant::Url) } else { Ok(()) };
    }
    let loopback = |host: &str| matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    match url.strip_prefix("ws://") {
        Some(rest) if loopback(host(rest)) => Ok(()),
        _ => Err(InvalidGrant::Url),
    }
}

fn host(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.find(']') {
        Some(end) => &authority[..=end],
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn check_keys(keys: &[GrantKey], context: &Scope) -> Result<Vec<ScopeKeys>, InvalidGrant> {
    if !(1..=limits::MAX_KEY_VERSIONS).contains(&keys.len()) {
        return Err(InvalidGrant::Keys);
    }
    let mut checked: Vec<ScopeKeys> = Vec::with_capacity(keys.len());
    for key in keys {
        let key = check_key(key, context).ok_or(InvalidGrant::Keys)?;
        if checked.iter().any(|other| other.id() == key.id()) {
            return Err(InvalidGrant::Keys);
        }
        checked.push(key);
    }
    Ok(checked)
}

fn check_key(key: &GrantKey, context: &Scope) -> Option<ScopeKeys> {
    ScopeKeys::parse(KeyId::parse(&key.id)?, context.clone(), &key.scopes)
}

/// Without token and keys.
impl fmt::Debug for SessionGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionGrant").field("url", &self.url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
