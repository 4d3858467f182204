//! Presence in the console: the relay as a whole, and the channels with the most members.

use super::hashes::Hashes;
use crate::{
    http::HttpContext,
    limits::Limit,
    presence::{ChannelCount, Presences},
};
use sealwire_protocol::ChannelId;
use serde::Serialize;
use std::{cmp::Reverse, collections::HashMap, time::Instant};
use tokio::task::yield_now;

/// The number of channels of a shard that are examined. Further ones are not.
const CHANNELS: usize = 2048;
/// The number of channels that are shown.
const SHOWN: usize = 10;
/// The limits of presence.
const LIMITS: [Limit; 6] = [
    Limit::PresenceMembers,
    Limit::PresenceMembersPerAccount,
    Limit::PresenceBytes,
    Limit::PresenceEntryBytes,
    Limit::PresenceChannels,
    Limit::PresenceRate,
];

/// The channels with the most members, and their changes since the census before.
#[derive(Default)]
pub(super) struct PresenceCensus {
    taken: Option<Instant>,
    channels: Vec<(ChannelCount, Option<f64>)>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PresenceState {
    members: u64,
    in_grace: u64,
    /// The members at other relays.
    remote_members: u64,
    watchers: u64,
    /// The refusals because of a limit of presence, since the start.
    refusals: u64,
    /// The messages of other relays that were refused, since the start.
    messages_refused: u64,
    channels: Vec<PresenceChannel>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PresenceChannel {
    hash: String,
    members: usize,
    watchers: usize,
    /// `None` in the first census with the channel.
    changes_per_second: Option<f64>,
}

impl PresenceCensus {
    pub(super) async fn take(&mut self, presences: &Presences, now: Instant) {
        let mut all = Vec::new();
        let mut shard = 0;
        while let Some(some) = presences.some_channels(shard, CHANNELS) {
            all.extend(some);
            all.sort_by_key(|channel: &ChannelCount| Reverse((channel.members, channel.watchers)));
            all.truncate(SHOWN);
            shard += 1;
            yield_now().await;
        }
        let before: HashMap<ChannelId, u64> =
            self.channels.iter().map(|(count, _)| (count.channel, count.changes)).collect();
        let seconds = self.taken.map(|taken| now.saturating_duration_since(taken).as_secs_f64());
        let rate = |count: &ChannelCount| {
            let seconds = seconds.filter(|seconds| *seconds > 0.0)?;
            Some(count.changes.saturating_sub(*before.get(&count.channel)?) as f64 / seconds)
        };
        self.channels = all.iter().map(|count| (*count, rate(count))).collect();
        self.taken = Some(now);
    }
}

impl PresenceState {
    pub(super) fn of(http: &HttpContext, hashes: &Hashes, census: &PresenceCensus) -> Self {
        let presences = &http.connection.presences;
        let counts = presences.counts();
        let channels = census.channels.iter().map(|(count, rate)| PresenceChannel {
            hash: hashes.channel(count.channel),
            members: count.members,
            watchers: count.watchers,
            changes_per_second: *rate,
        });
        Self {
            members: counts.members,
            in_grace: counts.in_grace,
            remote_members: counts.remote_members,
            watchers: counts.watchers,
            refusals: LIMITS.iter().map(|limit| http.limits.refusals(*limit)).sum(),
            messages_refused: presences.link_counts().map_or(0, |counts| counts.refused),
            channels: channels.collect(),
        }
    }
}
