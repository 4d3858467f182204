//! The configuration of a session, and the input that completes a subscribe request.

use super::Marks;
use crate::{
    auth::{revocations::Revocations, signing_keys::SigningKeys},
    hub::Replay,
    limits::Limits,
    stall_detector::StallDetector,
};
use sealwire_protocol::wire::Position;
use std::{sync::Arc, time::Duration};

/// The configuration that all sessions of a relay share.
#[derive(Clone)]
pub struct SessionConfig {
    /// The signing keys of all apps.
    pub keys: Arc<SigningKeys>,
    /// The sessions that their apps have revoked.
    pub revocations: Arc<Revocations>,
    /// The time within which a client must send `Hello`.
    pub hello_timeout: Duration,
    /// The interval of the relay's `Ping`. A client that is silent for two intervals is disconnected. A member of a
    /// presence is pinged twice as often and may be silent for less than one interval.
    pub heartbeat: Duration,
    /// The time for which a subscription can resume.
    pub replay_window: Duration,
    /// The limits, with their current use.
    pub limits: Arc<Limits>,
    /// The detector of times in which the relay was suspended.
    pub stall_detector: Arc<StallDetector>,
    /// The marks that each `Ping` carries.
    pub marks: Arc<Marks>,
    /// True if the relay keeps the presence of channels.
    pub has_presence: bool,
    /// True if sessions name their channels to the driver, with [`SessionAction::Name`](super::SessionAction::Name).
    pub names_channels: bool,
}

/// The start of a subscription, as the broker returned it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriptionStart {
    /// The position before the first publication that follows.
    pub position: Position,
    /// True if everything that was requested provably follows.
    pub recovered: bool,
    /// The bytes of the replay that follows.
    pub replayed: u64,
    /// The offset of the last publication of the replay, or 0.
    pub replay_end: u64,
}

impl SubscriptionStart {
    /// Returns the start of a subscription that this replay follows.
    #[must_use]
    pub fn of(replay: &Replay) -> Self {
        let Replay { position, recovered, publications } = replay;
        let replay_end = publications.last().map_or(0, |last| last.offset());
        Self { position: *position, recovered: *recovered, replayed: publications.bytes(), replay_end }
    }
}
