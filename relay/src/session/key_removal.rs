//! The effect of removing a signing key from the configuration: sessions and subscriptions whose token it signed end,
//! and no others.

use super::{Refusal, SessionAction, SessionRules, SessionState, deadlines::Timer, goodbye::KEY_GONE_AFTER};
use crate::refused::Refused;
use sealwire_protocol::{ChannelId, Code};

/// The name of the attempt in the audit log.
const ATTEMPT: &str = "reload";
const CODE: Code = Code::TokenUnknownKey;

impl SessionRules {
    /// Ends the session, or those of its subscriptions, whose token was signed with a removed key. The code makes the
    /// client fetch a fresh token, which the app signs with a remaining key.
    pub fn handle_keys_removed(&mut self) {
        let SessionState::Established(open) = &mut self.state else { return };
        if !self.config.keys.has(open.grant.key) {
            let message =
                "the signing key of the session token was removed; fetch a fresh token and reconnect";
            // The delay spreads the reconnects, because the other sessions of the app end at the same moment.
            return self.refuse(ATTEMPT, Refused::new(CODE, message).retry_after(KEY_GONE_AFTER));
        }
        let orphans: Vec<ChannelId> = open
            .subscriptions
            .iter()
            .filter(|(_, subscription)| {
                subscription.token.as_ref().is_some_and(|token| !self.config.keys.has(token.key))
            })
            .map(|(channel, _)| channel)
            .collect();
        let orphaned_presences: Vec<ChannelId> = open
            .presences
            .iter()
            .filter(|(_, grant)| grant.token.as_ref().is_some_and(|token| !self.config.keys.has(token.key)))
            .map(|(channel, _)| channel)
            .collect();
        for channel in orphaned_presences {
            let refusal = Refusal { attempt: ATTEMPT, code: CODE, identity: Some(open.identity()) };
            self.actions.push_back(SessionAction::Audit(refusal));
            let message =
                "the signing key of the channel token was removed; enter and watch again with a fresh token";
            open.end_presence(channel, CODE, message, &mut self.deadlines, &mut self.actions);
        }
        for channel in orphans {
            let refusal = Refusal { attempt: ATTEMPT, code: CODE, identity: Some(open.identity()) };
            self.actions.push_back(SessionAction::Audit(refusal));
            self.deadlines.clear(Timer::ChannelExpiry(channel));
            let message =
                "the signing key of the channel token was removed; subscribe again with a fresh token";
            open.end(channel, CODE, message, &mut self.actions);
        }
    }

    /// Returns whether [`Self::handle_keys_removed`] would end anything.
    pub(super) fn has_orphaned_tokens(&self) -> bool {
        let SessionState::Established(open) = &self.state else { return false };
        let subscriptions =
            open.subscriptions.iter().filter_map(|(_, subscription)| subscription.token.as_ref());
        let presences = open.presences.iter().filter_map(|(_, grant)| grant.token.as_ref());
        let mut tokens = subscriptions.chain(presences);
        !self.config.keys.has(open.grant.key) || tokens.any(|token| !self.config.keys.has(token.key))
    }
}
