//! A client with its machine, and what the app and the weather are like.

use crate::relay::RelaySettings;
use sealwire_client::{Client, ConnectionId};

pub(super) struct Side {
    pub(super) core: Client,
    pub(super) connection: Option<ConnectionId>,
    pub(super) connects: usize,
    /// Connections fail, or are never answered.
    pub(super) offline: Option<bool>,
    /// The page was told to make no attempts.
    pub(super) paused: bool,
    pub(super) asleep_until: u64,
    pub(super) asleep_since: u64,
    /// How far the timers' clock fell behind in sleeps, and whether it does in the newest.
    pub(super) lag_ms: u64,
    pub(super) clock_stands: bool,
    pub(super) wall_ms: i64,
}

/// What the app and the weather are like at the moment.
pub(super) struct Conditions {
    pub(super) settings: RelaySettings,
    pub(super) delay_ms: u64,
    pub(super) session_seconds: u64,
    pub(super) token_seconds: u64,
    /// Newest first, each with the moment of its rotation.
    pub(super) keys: Vec<(u8, u64)>,
    /// Of a hundred answers of the app, so many are failures.
    pub(super) failures: u64,
    pub(super) answer_ms: u64,
    pub(super) relay_wall_ms: i64,
    /// What the relay admits, where it admits little.
    pub(super) rates: Option<sealwire_relay::Settings>,
}

impl Conditions {
    /// The keys as they were at a moment.
    pub(super) fn keys_at(&self, ms: u64) -> Vec<u8> {
        self.keys.iter().filter(|(_, rotated_at)| *rotated_at <= ms).map(|(number, _)| *number).collect()
    }

    pub(super) fn rotate(&mut self, now_ms: u64) {
        let number = 1 + self.keys.len() as u8;
        self.keys.insert(0, (number, now_ms));
    }
}

impl Side {
    /// Whether its timers' clock ever stood still.
    pub(super) fn lost_time(&self) -> bool {
        self.clock_stands || self.lag_ms > 0
    }

    pub(super) fn lag_ms(&self, now_ms: u64) -> u64 {
        let slept = self.asleep_until.min(now_ms) - self.asleep_since;
        self.lag_ms + if self.clock_stands { slept } else { 0 }
    }
}
