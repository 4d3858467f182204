//! What becomes of a session whose app has ended it.

use super::{SessionRules, State, grant::Grant};
use crate::{
    access::{Namespace, Refused},
    revocations::{Revocations, Subject},
};
use sealwire_protocol::{Code, tokens::SessionClaims};

impl SessionRules {
    /// Sessions were revoked: ends this one, if it is meant.
    pub fn handle_revocations(&mut self) {
        let State::Open(open) = &self.state else { return };
        if let Err(revoked) = open.grant.check_revoked(&self.terms.revocations) {
            self.goodbye(revoked);
        }
    }
}

impl Grant {
    /// Refuses a token that was revoked.
    pub(super) fn check_revoked(&self, revocations: &Revocations) -> Result<(), Refused> {
        let context = |property: &str| self.value(property);
        let (namespace, account, made) = (self.namespace(), self.account(), self.iat);
        refuse_if(revocations.cover(&Subject { namespace, account, context: &context, made }))
    }
}

/// Refuses a token that was revoked.
pub(super) fn check(claims: &SessionClaims, revocations: &Revocations) -> Result<(), Refused> {
    let namespace = Namespace { app: &claims.iss, installation: &claims.ins };
    let context =
        |property: &str| claims.ctx.iter().find(|(name, _)| *name == property).map(|(_, value)| value);
    let (account, made) = (&*claims.sub, claims.iat);
    refuse_if(revocations.cover(&Subject { namespace, account, context: &context, made }))
}

fn refuse_if(revoked: bool) -> Result<(), Refused> {
    let message = "the app has ended the session; a new one may be permitted";
    if revoked { Err(Refused::new(Code::Revoked, message)) } else { Ok(()) }
}
