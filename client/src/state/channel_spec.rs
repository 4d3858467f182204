//! Which channel a call is about: as the app names it, checked, and resolved within a session.

use crate::{
    ClientError,
    state::session::{Identity, Session},
};
use sealwire_protocol::{
    ChannelAddress, ChannelId, ChannelKey, ClaimsKeyring, Code, Scope, check_channel_name, limits, wire,
};

/// A channel as an app names it.
#[derive(Clone)]
pub struct ChannelSpec {
    /// Channel name.
    pub name: String,
    /// Names of the context's properties that make up the scope: none given is the whole context, an empty list the
    /// installation-wide channel.
    pub scope: Option<Vec<String>>,
    /// Channel token with its claims keys, as the resolver's `signRealtimeToken` returns it.
    pub token: Option<String>,
}

/// A spec whose form is right.
#[derive(Clone)]
pub(crate) struct CheckedSpec {
    pub(crate) name: String,
    scope: Option<Vec<String>>,
    pub(crate) claims: Option<ClaimsKeyring>,
}

/// A spec within a session.
pub(crate) struct Resolved {
    pub(crate) id: ChannelId,
    pub(crate) scope: Scope,
}

impl CheckedSpec {
    pub(crate) fn check(spec: ChannelSpec) -> Result<Self, ClientError> {
        let ChannelSpec { name, scope, token } = spec;
        check_channel_name(&name)
            .map_err(|invalid| ClientError::new(Code::NameInvalid, invalid.to_string()))?;
        let claims = token.as_deref().map(check_token).transpose()?;
        Ok(Self { name, scope, claims })
    }

    pub(crate) fn resolve(&self, identity: &Identity) -> Result<Resolved, ClientError> {
        let Identity { app, installation, context } = identity;
        let scope = match &self.scope {
            None => context.clone(),
            Some(properties) => context
                .keep(properties)
                .map_err(|invalid| ClientError::new(Code::ScopeRefused, invalid.to_string()))?,
        };
        let claims_tag = self.claims.as_ref().map(|claims| &claims.tag);
        let id = ChannelAddress { app, installation, scope: &scope, claims_tag, name: &self.name }.id();
        Ok(Resolved { id, scope })
    }

    /// The channel as the relay is asked for it.
    pub(crate) fn on_the_wire(&self, scope: &Scope) -> wire::Channel {
        wire::Channel {
            name: self.name.clone(),
            properties: scope.iter().map(|(property, _)| property.to_owned()).collect(),
            token: self.jwt().to_owned(),
        }
    }

    pub(crate) fn jwt(&self) -> &str {
        self.claims.as_ref().map_or("", |claims| &claims.jwt)
    }

    pub(crate) fn keys(&self, session: &Session, scope: &Scope) -> Vec<ChannelKey> {
        session.channel_keys(scope, self.claims.as_ref(), &self.name)
    }
}

/// A channel token is what the resolver made: the JWT and at least one claims key.
pub(crate) fn check_token(token: &str) -> Result<ClaimsKeyring, ClientError> {
    let claims = ClaimsKeyring::parse(token)
        .map_err(|_| ClientError::new(Code::TokenMalformed, "the token is not one of signRealtimeToken()"))?;
    if claims.jwt.len() > limits::MAX_TOKEN {
        return Err(ClientError::new(Code::TokenMalformed, "the channel token is too long"));
    }
    Ok(claims)
}
