//! Requests for encryption keys that messages need, to the session function and to the token functions of the app.

use crate::{Client, Instant, Now, SessionReason, client::deliver::NeedsToken, state::phase::Phase};
use sealwire_protocol::{ChannelId, ClaimsKeyring, KeyId};

impl Client {
    /// Plans a request for a key that a message of a channel needs. Returns true if the message waits for it.
    pub(super) fn await_key(&mut self, now: Now, id: ChannelId, key: KeyId) -> Result<bool, NeedsToken> {
        if matches!(self.phase, Phase::Idle | Phase::Closed) {
            return Ok(false);
        }
        let mut waits = true;
        if self.session.as_ref().is_none_or(|session| !session.has_key(key)) {
            waits = self.session_requests.missing_keys.need(now.instant, key, &mut *self.entropy);
        }
        let is_renewable = !self.renewable_members(id).is_empty();
        let Some(channel) = self.channels.get_mut(&id) else { return Ok(false) };
        let lacks_key = |claims: &ClaimsKeyring| claims.find(key).is_none();
        if channel.claims().is_some_and(lacks_key) {
            if !is_renewable {
                return Err(NeedsToken);
            }
            waits &= channel.missing_keys.need(now.instant, key, &mut *self.entropy);
        }
        Ok(waits)
    }

    /// Requests the keys that are due, and delivers the messages that have waited for too long as unreadable.
    pub(super) fn request_keys(&mut self, now: Now) {
        if self.session_requests.missing_keys.take_due(now.instant) {
            self.request_session(now, SessionReason::UnknownKey);
        }
        for id in self.channels.keys() {
            let is_due =
                self.channels.get_mut(&id).is_some_and(|channel| channel.missing_keys.take_due(now.instant));
            if is_due
                && !self.request_token_with_key(now, id)
                && let Some(channel) = self.channels.get_mut(&id)
            {
                channel.missing_keys.request_lost();
            }
        }
        self.deliver_all(now);
    }

    /// Returns the time at which [`Self::request_keys`] is due.
    pub(super) fn keys_deadline(&self) -> Option<Instant> {
        let channels = self.channels.values().filter_map(|channel| channel.missing_keys.deadline());
        channels.chain(self.session_requests.missing_keys.deadline()).min()
    }
}
