//! The effect on a session if the broker lost track of channels: their subscriptions end temporarily, and the client
//! subscribes again from its position.

use super::{SessionRules, SessionState, deadlines::Timer};
use sealwire_protocol::{ChannelId, Code};

impl SessionRules {
    /// Ends the subscriptions to the channels for which `is_lost` returns true. The code is temporary, so the client
    /// subscribes again, and reports a gap only if the answer does not recover its position. A subscribe request that
    /// waits for the broker is left alone: the broker answers it from what it knows then.
    pub fn handle_broker_reset(&mut self, is_lost: &mut dyn FnMut(ChannelId) -> bool) {
        let SessionState::Established(open) = &mut self.state else { return };
        let lost: Vec<ChannelId> = open
            .subscriptions
            .iter()
            .map(|(channel, _)| channel)
            .filter(|channel| is_lost(*channel))
            .collect();
        for channel in lost {
            self.deadlines.clear(Timer::ChannelExpiry(channel));
            let message =
                "the relay lost track of the channel's messages; subscribe again from the last position";
            open.end(channel, Code::BrokerUnavailable, message, &mut self.actions);
        }
    }

    /// Ends the session's part in the presences whose watchers the relay lost, because it cannot reach the other relays. Its
    /// members have their grace time to enter again.
    pub fn handle_presence_lost(&mut self, is_lost: &mut dyn FnMut(ChannelId) -> bool) {
        let SessionState::Established(open) = &mut self.state else { return };
        let watched = open.presences.iter().filter(|(_, grant)| grant.watches).map(|(channel, _)| channel);
        let lost: Vec<ChannelId> = watched.filter(|channel| is_lost(*channel)).collect();
        for channel in lost {
            open.lose_presence(channel, &mut self.deadlines, &mut self.actions);
        }
    }
}
