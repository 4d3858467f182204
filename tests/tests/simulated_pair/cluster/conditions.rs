//! The settings and the behaviour of the network and the cluster in a schedule.

use super::replica::StreamLimits;
use crate::clients::Seeded;
use sealwire_relay::HubLimits;
use std::time::Duration;

/// The time by which streams keep messages longer than clients may ask for.
const SLACK_MS: u64 = 5_000;

pub(super) struct Conditions {
    pub(super) hub: HubLimits,
    pub(super) stream: StreamLimits,
    pub(super) heartbeat: Duration,
    /// The longest delay of a new connection of a client.
    pub(super) delay_ms: u64,
    /// The longest delay of a message between a relay and a server.
    pub(super) wire_ms: u64,
    /// The longest time between storing a message and its acknowledgement or its republication.
    pub(super) commit_ms: u64,
    /// The time by which each server applies messages later than the leader.
    pub(super) lag_ms: [u64; 3],
    /// The longest time that a relay takes to queue a publication for its subscribers.
    pub(super) fan_out_ms: u64,
    /// One of so many messages between two servers' routes is lost; 0 for none.
    pub(super) route_loss: u64,
    /// The differences of the clocks of the relays and of the servers from the true time.
    pub(super) relay_clock_ms: [i64; 2],
    pub(super) server_clock_ms: i64,
    /// True if nothing but a loss of contents may cause a gap.
    pub(super) is_roomy: bool,
}

impl Conditions {
    pub(super) fn random(random: &mut Seeded) -> Self {
        let mut one_of = |choices: &[u64]| choices[random.below(choices.len() as u64) as usize];
        let is_roomy = one_of(&[0, 1, 1]) == 1;
        let window = if is_roomy { 120 } else { one_of(&[15, 30]) };
        let (replay_bytes, max_bytes) = if is_roomy {
            (1 << 20, 1 << 20)
        } else {
            (one_of(&[2_048, 16_384, 1 << 20]), one_of(&[4_096, 16_384, 1 << 20]))
        };
        let window_ms = window * 1000;
        Self {
            hub: HubLimits {
                replay_window: Duration::from_secs(window),
                replay_bytes: replay_bytes as usize,
            },
            stream: StreamLimits {
                max_age_ms: window_ms + SLACK_MS,
                max_bytes: max_bytes as usize,
                window_ms,
            },
            heartbeat: Duration::from_secs(one_of(&[2, 5, 10, 25])),
            delay_ms: one_of(&[20, 200, 1_000]),
            wire_ms: one_of(&[2, 10, 60]),
            commit_ms: one_of(&[2, 10, 200]),
            lag_ms: [one_of(&[1, 20, 900]), one_of(&[1, 20, 2_500]), one_of(&[1, 20])],
            fan_out_ms: one_of(&[1, 1, 20, 300]),
            route_loss: one_of(&[0, 0, 8]),
            relay_clock_ms: [one_of(&[0, 0, 1_500]) as i64, -(one_of(&[0, 0, 1_500]) as i64)],
            server_clock_ms: one_of(&[0, 3_000]) as i64 - one_of(&[0, 3_000]) as i64,
            is_roomy,
        }
    }
}
