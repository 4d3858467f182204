//! The channel of a call: as the app names it, checked, and resolved within a session.

use crate::{
    ClientError,
    state::session::{Identity, Session},
};
use sealwire_protocol::{
    ChannelAddress, ChannelId, ChannelKey, ClaimsKeyring, Code, Scope, check_channel_name, decimal, limits,
    wire,
};

/// A channel as an app names it.
#[derive(Clone)]
pub struct ChannelSpec {
    /// The channel name.
    pub name: String,
    /// The names of the context's properties that form the scope. `None` selects the whole context, an empty list the
    /// installation-wide channel.
    pub scope: Option<Vec<String>>,
    /// The channel token with its claims keys, as the resolver's `signRealtimeToken` returns it.
    pub token: Option<String>,
}

/// A well-formed spec.
#[derive(Clone)]
pub(crate) struct CheckedSpec {
    name: String,
    scope: Option<Vec<String>>,
    claims: Option<ClaimsKeyring>,
}

/// The id, the scope and the name of a spec within a session.
pub(crate) struct Resolved {
    pub(crate) id: ChannelId,
    pub(crate) scope: Scope,
    /// The name that the relay sees.
    pub(crate) name: String,
}

impl CheckedSpec {
    pub(crate) fn check(spec: ChannelSpec) -> Result<Self, ClientError> {
        let ChannelSpec { name, scope, token } = spec;
        check_channel_name(&name)
            .map_err(|invalid| ClientError::new(Code::NameInvalid, invalid.message()))?;
        let claims = token.as_deref().map(check_token).transpose()?;
        Ok(Self { name, scope, claims })
    }

    pub(crate) fn resolve(&self, identity: &Identity) -> Result<Resolved, ClientError> {
        let Identity { app, installation, context, names } = identity;
        let name = names.channel(&self.name)?;
        let scope = match &self.scope {
            None => context.clone(),
            Some(properties) => context
                .keep(properties)
                .map_err(|invalid| ClientError::new(Code::ScopeRefused, invalid.message()))?,
        };
        let claims_tag = self.claims.as_ref().map(|claims| &claims.tag);
        let id = ChannelAddress { app, installation, scope: &scope, claims_tag, name: &name }.id();
        Ok(Resolved { id, scope, name })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the channel as requests to the relay name it.
    pub(crate) fn to_wire(&self, resolved: &Resolved) -> wire::Channel {
        wire::Channel {
            name: resolved.name.clone(),
            properties: resolved.scope.iter().map(|(property, _)| property.to_owned()).collect(),
            token: self.jwt().to_owned(),
        }
    }

    pub(crate) fn claims(&self) -> Option<&ClaimsKeyring> {
        self.claims.as_ref()
    }

    pub(crate) fn claims_mut(&mut self) -> Option<&mut ClaimsKeyring> {
        self.claims.as_mut()
    }

    pub(crate) fn set_claims(&mut self, claims: ClaimsKeyring) {
        self.claims = Some(claims);
    }

    /// Returns the part of the channel token that the relay sees; empty without a token.
    pub(crate) fn jwt(&self) -> &str {
        self.claims.as_ref().map_or("", |claims| &claims.jwt)
    }

    /// Derives the channel's keys, newest first.
    pub(crate) fn keys(&self, session: &Session, resolved: &Resolved) -> impl Iterator<Item = ChannelKey> {
        session.channel_keys(&resolved.scope, self.claims.as_ref(), &resolved.name)
    }
}

/// Reads a channel token of the resolver: a JWT and at least one claims key.
pub(crate) fn check_token(token: &str) -> Result<ClaimsKeyring, ClientError> {
    let claims = ClaimsKeyring::parse(token).map_err(|_| {
        let message = "the channel token is malformed; pass one that signRealtimeToken() returned";
        ClientError::new(Code::TokenMalformed, message)
    })?;
    if claims.jwt.len() > limits::MAX_TOKEN {
        let max = decimal(limits::MAX_TOKEN as u64);
        let message = ["the channel token is longer than ", &max, " bytes; sign fewer claims"].concat();
        return Err(ClientError::new(Code::TokenMalformed, message));
    }
    Ok(claims)
}
