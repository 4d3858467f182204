//! The effect of a revocation on a session.

use super::{SessionRules, SessionState, grant::Grant};
use crate::{
    auth::{
        access::Namespace,
        revocations::{Revocations, Revoked, Seen, Subject},
    },
    clock::Now,
};
use sealwire_protocol::tokens::SessionClaims;

impl SessionRules {
    /// Ends the session if a new revocation covers it.
    pub fn handle_revocations(&mut self, now: Now) {
        let SessionState::Established(open) = &mut self.state else { return };
        match open.grant.check_revoked(open.permit.namespace(), &self.config.revocations, open.seen) {
            Ok(seen) => open.seen = seen,
            Err(revoked) => self.goodbye(revoked.ended(now.wall.seconds())),
        }
    }
}

impl Grant {
    /// Checks the revocations after `seen` for the token, which is of this namespace. Returns the last one checked, or the
    /// one that covers the token.
    pub(super) fn check_revoked(
        &self,
        namespace: Namespace<'_>,
        revocations: &Revocations,
        seen: Seen,
    ) -> Result<Seen, Revoked> {
        let context =
            |visit: &mut dyn FnMut(&str, &str)| self.context().for_each(|(name, value)| visit(name, value));
        let (account, made) = (self.account(), self.iat);
        revocations.check(&Subject { namespace, account, context: &context, issued_at: made }, seen)
    }
}

/// Checks all revocations for the token of a new session.
pub(super) fn check(claims: &SessionClaims, revocations: &Revocations) -> Result<Seen, Revoked> {
    let namespace = Namespace { app: &claims.iss, installation: &claims.ins };
    let context = |visit: &mut dyn FnMut(&str, &str)| {
        claims.ctx.iter().for_each(|(name, value)| visit(name, value));
    };
    let (account, made) = (&*claims.sub, claims.iat);
    revocations.check(&Subject { namespace, account, context: &context, issued_at: made }, Seen::default())
}
