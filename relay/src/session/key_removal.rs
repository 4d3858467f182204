//! What becomes of a session when a signing key is taken out of the configuration: what the key vouched for ends, and
//! nothing else.

use super::{Refusal, SessionAction, SessionRules, State, deadlines::Timer, goodbye::KEY_GONE_AFTER};
use crate::refused::Refused;
use sealwire_protocol::{ChannelId, Code};

/// The attempt in the audit log.
const ATTEMPT: &str = "reload";
const CODE: Code = Code::TokenUnknownKey;

impl SessionRules {
    /// Signing keys were removed: ends the session, or the subscriptions, whose token was signed by one of them. The
    /// code asks the client for a fresh token, which the app signs with a key that is left.
    pub fn handle_keys_removed(&mut self) {
        let State::Open(open) = &mut self.state else { return };
        if !self.terms.keys.has(open.grant.key) {
            let message =
                "the signing key of the session token was withdrawn; fetch a fresh one and reconnect";
            // The other sessions of the app end at the same moment.
            return self.refuse(ATTEMPT, Refused::new(CODE, message).retry_after(KEY_GONE_AFTER));
        }
        let orphans: Vec<ChannelId> = open
            .subscriptions
            .iter()
            .filter(|(_, subscription)| {
                subscription.token.as_ref().is_some_and(|token| !self.terms.keys.has(token.key))
            })
            .map(|(channel, _)| channel)
            .collect();
        for channel in orphans {
            let refusal = Refusal { attempt: ATTEMPT, code: CODE, identity: Some(open.identity()) };
            self.actions.push_back(SessionAction::Audit(refusal));
            self.deadlines.clear(Timer::ChannelExpiry(channel));
            let message =
                "the signing key of the channel token was withdrawn; subscribe again with a fresh one";
            open.end(channel, CODE, message, &mut self.actions);
        }
    }

    /// Whether [`Self::handle_keys_removed`] would end anything.
    pub(super) fn outlives_its_key(&self) -> bool {
        let State::Open(open) = &self.state else { return false };
        let mut tokens =
            open.subscriptions.iter().filter_map(|(_, subscription)| subscription.token.as_ref());
        !self.terms.keys.has(open.grant.key) || tokens.any(|token| !self.terms.keys.has(token.key))
    }
}
