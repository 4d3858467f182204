//! Presence across the relays of a cluster. Each relay owns the members of its own sessions, and tells them to the relays
//! that need the same channel. Two relays with presences of the same app keep a link: a stream of numbered messages in each
//! direction. `links.rs` knows the relays and the needed channels, `link.rs` has the rules of one link, and `parts.rs` divides
//! its news into the messages of `message.rs`, all without I/O; `task.rs` carries the messages through NATS.

#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod link;
mod links;
mod message;
mod parts;
mod task;
#[cfg(test)]
mod tests;

pub(crate) use links::LinkCounts;
pub(crate) use task::PresenceTask;

use super::{MemberId, outbox::Outbox, record::Record, table::RemoteChange};
use sealwire_protocol::ChannelId;
use std::time::{Duration, Instant};

/// The interval in which a relay sends a message on each link, even without news.
pub(crate) const BEAT_INTERVAL: Duration = Duration::from_secs(1);
/// The time without a message after which the relay at the other end of a link counts as gone.
pub(crate) const SILENCE: Duration = Duration::from_secs(4);

/// The presences of this relay, as the links see them.
pub(super) trait Local {
    /// Takes the changes since the last call.
    fn take_outbox(&mut self) -> Outbox;
    /// Returns the members of this relay on a channel.
    fn own_members(&mut self, channel: ChannelId, now: Instant) -> Vec<Record>;
    /// Returns the members on a channel whose relays are gone.
    fn orphans(&mut self, channel: ChannelId, now: Instant) -> Vec<Record>;
    /// Returns a member of this relay.
    fn own(&mut self, channel: ChannelId, id: MemberId, now: Instant) -> Option<Record>;
    /// Applies a record of another relay. Returns whether there was room for it.
    fn apply_record(&mut self, channel: ChannelId, relay: u64, record: Record, now: Instant) -> bool;
    /// Applies another change of another relay.
    fn apply(&mut self, channel: ChannelId, relay: u64, change: RemoteChange, now: Instant);
    /// Notes that the members of a channel at all relays are known.
    fn set_synced(&mut self, channel: ChannelId);
    /// Begins the grace time of the members of a relay on a channel.
    fn orphan(&mut self, channel: ChannelId, relay: u64, now: Instant);
}
