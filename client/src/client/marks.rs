//! Marks: positions up to which the relay has sent everything. They move the positions of silent channels forward, so that
//! a relay can still prove the recovery of a channel on which nothing was published for a long time.

use crate::{Client, state::channel::WireState};
use sealwire_protocol::wire::Position;

impl Client {
    /// Moves the channels that the relay confirmed on this connection to the marks of a `Ping`. The relay sends a mark
    /// after everything that precedes it, which does not hold for a channel whose subscribe is still under way.
    pub(super) fn marks_received(&mut self, marks: &[Position]) {
        let subscribed = self.channels.values_mut().filter(|channel| channel.wire() == WireState::Subscribed);
        for channel in subscribed {
            for mark in marks {
                if !channel.head().is_some_and(|head| head.is_behind(*mark)) {
                    continue;
                }
                channel.advance_head(*mark);
                for member in channel.members() {
                    if let Some(continuity) =
                        self.subscriptions.get_mut(member).and_then(|member| member.continuity_mut())
                    {
                        continuity.advance(*mark);
                    }
                }
            }
        }
    }
}
