//! A session grant that passed its checks: the token, the keys and the lifetime of a session.

use crate::{
    Instant,
    grant::{GrantKey, InvalidGrant, SessionGrant},
    state::names::Names,
    time::{BackendClock, Now, RelayClock},
};
use sealwire_protocol::{
    Certificate, ChannelKey, ClaimsKeyring, KeyId, Scope, ScopeKeys, UnixMillis, decode_base64url, limits,
    split_at_ascii,
};

const MAX_URL: usize = 2048;
/// The lifetime that a session has at least if only the local wall clock, which may be wrong, judges it.
const MIN_UNVERIFIED_LIFETIME_MS: u64 = 30_000;

/// The app, installation and context of the client. Does not change while the client has a channel.
#[derive(PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) app: String,
    pub(crate) installation: String,
    pub(crate) context: Scope,
    pub(crate) names: Names,
}

/// A checked session.
pub(crate) struct Session {
    pub(crate) url: String,
    pub(crate) token: String,
    /// The token's subject, or an empty string. It only distinguishes senders from each other.
    pub(crate) sender: String,
    keys: Vec<SessionKey>,
    /// The public keys of the functions, in base64url, with the encryption keys under which they verify messages.
    pub(crate) signers: Vec<(KeyId, String)>,
    expires_at: Instant,
    lifetime_ms: u64,
    /// The clock that dates and judges messages.
    pub(crate) clock: BackendClock,
}

/// The keys of the session's scopes under one encryption key.
struct SessionKey {
    scopes: ScopeKeys,
    /// The certificate of the page.
    certificate: Option<Certificate>,
}

impl Session {
    /// Checks a grant. The relay's clock, if known, determines the remaining lifetime.
    pub(crate) fn check(
        grant: SessionGrant,
        now: Now,
        relay: Option<RelayClock>,
    ) -> Result<(Self, Identity), InvalidGrant> {
        let SessionGrant {
            url,
            token,
            issued_at_ms,
            expires_at,
            app,
            installation,
            context,
            keys,
            name_tag_key,
        } = grant;
        check_url(&url)?;
        check_size("token", &token, limits::MAX_TOKEN)?;
        check_size("app", &app, limits::MAX_APP)?;
        check_size("installation", &installation, limits::MAX_INSTALLATION)?;
        let checked = check_keys(&keys, &context)?;
        let signers =
            checked.iter().map(SessionKey::id).zip(keys.into_iter().map(|key| key.signer)).collect();
        let clock = relay.map_or(now.unix.0, |relay| relay.at(now.instant));
        let mut lifetime_ms =
            expires_at.millis().0.saturating_sub(clock).min(limits::MAX_TOKEN_LIFETIME * 1000);
        if relay.is_none() {
            lifetime_ms = lifetime_ms.max(MIN_UNVERIFIED_LIFETIME_MS);
        }
        let ends_at = now.instant.after(lifetime_ms);
        let sender = subject(&token).unwrap_or_default();
        let clock = BackendClock::new(now, issued_at_ms.0);
        let session =
            Self { url, token, sender, keys: checked, signers, expires_at: ends_at, lifetime_ms, clock };
        let names = Names::read(name_tag_key.as_deref()).ok_or(InvalidGrant::Keys)?;
        Ok((session, Identity { app, installation, context, names }))
    }

    /// Sets the remaining lifetime that the relay announced.
    pub(crate) fn set_lifetime(&mut self, now: Instant, lifetime_ms: u64) {
        self.lifetime_ms = lifetime_ms.min(limits::MAX_TOKEN_LIFETIME * 1000);
        self.expires_at = now.after(self.lifetime_ms);
    }

    /// Returns true if the session lasts long enough for another attempt to connect.
    pub(crate) fn is_fresh(&self, now: Instant) -> bool {
        self.expires_at.0.saturating_sub(now.0) > (self.lifetime_ms / 5).min(5_000)
    }

    /// Returns the remaining lifetime.
    pub(crate) fn remaining_ms(&self, now: Instant) -> u64 {
        self.expires_at.0.saturating_sub(now.0)
    }

    /// Returns true if the session contains keys under this encryption key.
    pub(crate) fn has_key(&self, id: KeyId) -> bool {
        self.keys.iter().any(|key| key.id() == id)
    }

    /// Returns the certificate for messages of this page under an encryption key, unless it has expired.
    pub(crate) fn certificate(&self, id: KeyId, at: UnixMillis) -> Option<&Certificate> {
        let key = self.keys.iter().find(|key| key.id() == id)?;
        key.certificate.as_ref().filter(|certificate| certificate.expires_at() > at)
    }

    /// Returns true if the page has a certificate under each encryption key.
    pub(crate) fn certifies(&self, at: UnixMillis) -> bool {
        self.keys.iter().all(|key| self.certificate(key.id(), at).is_some())
    }

    /// Derives the keys of a channel, newest first: one for each encryption key, or, if the channel has claims, one for each
    /// encryption key that the claims have a key for as well.
    pub(crate) fn channel_keys(
        &self,
        scope: &Scope,
        claims: Option<&ClaimsKeyring>,
        name: &str,
    ) -> impl Iterator<Item = ChannelKey> {
        self.keys.iter().filter_map(move |key| {
            let scope_key = key.scopes.scope_key(scope)?;
            match claims {
                None => Some(scope_key.channel_key(None, name)),
                Some(claims) => Some(scope_key.channel_key(Some(claims.find(key.id())?), name)),
            }
        })
    }
}

/// Returns the subject of a JWT, as its JSON spells it. It only distinguishes senders; the relay verifies the token.
fn subject(token: &str) -> Option<String> {
    const NAME: &[u8] = b"\"sub\":\"";
    let (_, rest) = split_at_ascii(token, b'.')?;
    let payload = decode_base64url(split_at_ascii(rest, b'.').map_or(rest, |(payload, _)| payload))?;
    let start = payload.windows(NAME.len()).position(|part| part == NAME)? + NAME.len();
    let rest = core::str::from_utf8(&payload[start..]).ok()?;
    Some(split_at_ascii(rest, b'"').map_or(rest, |(subject, _)| subject).into())
}

fn check_size(field: &'static str, text: &str, max: usize) -> Result<(), InvalidGrant> {
    if (1..=max).contains(&text.len()) { Ok(()) } else { Err(InvalidGrant::Size(field)) }
}

/// Checks the address. Requires TLS unless it names this machine, because the token is sent to it.
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

/// Returns the part of a URL before its path, where `rest` is the URL without its scheme.
pub(crate) fn authority(rest: &str) -> &str {
    let end = rest.bytes().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    end.map_or(rest, |end| &rest[..end])
}

fn host(rest: &str) -> &str {
    let authority = authority(rest);
    match authority.bytes().position(|byte| byte == b']') {
        Some(end) => &authority[..=end],
        None => split_at_ascii(authority, b':').map_or(authority, |(host, _)| host),
    }
}

fn check_keys(keys: &[GrantKey], context: &Scope) -> Result<Vec<SessionKey>, InvalidGrant> {
    if !(1..=limits::MAX_KEY_VERSIONS).contains(&keys.len()) {
        return Err(InvalidGrant::Keys);
    }
    let mut checked: Vec<SessionKey> = Vec::with_capacity(keys.len());
    for key in keys {
        let key = SessionKey::check(key, context).ok_or(InvalidGrant::Keys)?;
        if checked.iter().any(|other| other.id() == key.id()) {
            return Err(InvalidGrant::Keys);
        }
        checked.push(key);
    }
    Ok(checked)
}

impl SessionKey {
    fn check(key: &GrantKey, context: &Scope) -> Option<Self> {
        let scopes = ScopeKeys::parse(KeyId::parse(&key.id)?, context.clone(), &key.scopes)?;
        Some(Self { scopes, certificate: key.certificate.as_deref().and_then(Certificate::parse) })
    }

    fn id(&self) -> KeyId {
        self.scopes.id()
    }
}

#[cfg(test)]
mod tests;
