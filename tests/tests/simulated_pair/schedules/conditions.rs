//! The current behaviour of the app, the network and the relay in a schedule.

use crate::{clients::Seeded, relay::RelaySettings};
use sealwire_relay::HubLimits;
use std::time::Duration;

pub(super) struct Conditions {
    pub(super) settings: RelaySettings,
    /// The longest delay of a new connection.
    pub(super) delay_ms: u64,
    /// The lifetime of sessions.
    pub(super) session_seconds: u64,
    /// The lifetime of channel tokens.
    pub(super) token_seconds: u64,
    /// The numbers of the keys, newest first, each with the time of its rotation.
    pub(super) keys: Vec<(u8, u64)>,
    /// The percentage of the app's answers that are failures.
    pub(super) failure_percent: u64,
    /// The longest time that the app takes to answer.
    pub(super) max_answer_ms: u64,
    /// The difference between the relay's wall clock and the true time.
    pub(super) relay_clock_offset_ms: i64,
    /// The relay's rates, if it has other than the default ones.
    pub(super) rates: Option<sealwire_relay::Settings>,
}

impl Conditions {
    /// Chooses the conditions at the beginning of a schedule.
    pub(super) fn random(random: &mut Seeded) -> Self {
        let mut one_of = |choices: &[u64]| choices[random.below(choices.len() as u64) as usize];
        let limits = HubLimits {
            replay_window: Duration::from_secs(one_of(&[15, 30, 120])),
            replay_bytes: one_of(&[4_096, 16_384, 1 << 20]) as usize,
        };
        let heartbeat = Duration::from_secs(one_of(&[2, 10, 25]));
        // Marks matter where heartbeats are frequent. A third of the schedules has none, as with the embedded broker.
        let sends_marks = heartbeat < Duration::from_secs(25);
        Self {
            settings: RelaySettings { limits, heartbeat, sends_marks },
            delay_ms: one_of(&[20, 200, 2_000]),
            session_seconds: one_of(&[20, 60, 900]),
            token_seconds: one_of(&[20, 60, 900]),
            keys: vec![(1, 0)],
            rates: None,
            failure_percent: 0,
            max_answer_ms: 50,
            relay_clock_offset_ms: 0,
        }
    }

    /// Returns the numbers of the keys that existed at a time.
    pub(super) fn keys_at(&self, ms: u64) -> Vec<u8> {
        self.keys.iter().filter(|(_, rotated_at)| *rotated_at <= ms).map(|(number, _)| *number).collect()
    }

    pub(super) fn rotate(&mut self, now_ms: u64) {
        let number = 1 + self.keys.len() as u8;
        self.keys.insert(0, (number, now_ms));
    }
}
