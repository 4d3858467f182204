//! What becomes of a session whose app has ended it.

use super::{SessionRules, State, grant::Grant};
use crate::{
    auth::{
        access::Namespace,
        revocations::{Revocations, Revoked, Seen, Subject},
    },
    clock::Now,
};
use sealwire_protocol::tokens::SessionClaims;

impl SessionRules {
    /// Sessions were revoked: ends this one, if it is meant.
    pub fn handle_revocations(&mut self, now: Now) {
        let State::Open(open) = &mut self.state else { return };
        match open.grant.check_revoked(&self.terms.revocations, open.seen) {
            Ok(seen) => open.seen = seen,
            Err(revoked) => self.goodbye(revoked.ended(now.wall.seconds())),
        }
    }
}

impl Grant {
    /// Refuses the token if a revocation after `seen` covers it.
    pub(super) fn check_revoked(&self, revocations: &Revocations, seen: Seen) -> Result<Seen, Revoked> {
        let context = |property: &str| self.value(property);
        let (namespace, account, made) = (self.namespace(), self.account(), self.iat);
        revocations.check(&Subject { namespace, account, context: &context, issued_at: made }, seen)
    }
}

/// Refuses a token that was revoked before its session began.
pub(super) fn check(claims: &SessionClaims, revocations: &Revocations) -> Result<Seen, Revoked> {
    let namespace = Namespace { app: &claims.iss, installation: &claims.ins };
    let context =
        |property: &str| claims.ctx.iter().find(|(name, _)| *name == property).map(|(_, value)| value);
    let (account, made) = (&*claims.sub, claims.iat);
    revocations.check(&Subject { namespace, account, context: &context, issued_at: made }, Seen::default())
}
