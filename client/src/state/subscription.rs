//! One subscription of the app, from the call to its end.

use crate::{
    Instant, client::token_renewal::Renewal, state::channel_spec::CheckedSpec, state::continuity::Continuity,
};
use sealwire_protocol::ChannelId;

pub(crate) struct Subscription {
    /// With its own channel token.
    pub(crate) spec: CheckedSpec,
    pub(crate) replay_seconds: Option<u32>,
    pub(crate) asked_at: Instant,
    /// The end of the call's wait for its confirmation, where it has a limit.
    pub(crate) due: Option<Instant>,
    pub(crate) progress: Progress,
    /// The standing that the app knows.
    pub(crate) shown: Standing,
    /// The app can provide tokens for it.
    pub(crate) renews: bool,
    pub(crate) renewal: Renewal,
    /// The relay has taken its token beside that of the channel.
    pub(crate) is_admitted: bool,
}

/// The state of a subscription, for the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The relay has not confirmed it yet.
    Subscribing,
    /// Messages arrive.
    Subscribed,
    /// The connection was lost, or the relay refused the channel for now: it is resumed where it stands.
    Resuming,
}

/// What it waits for.
#[derive(Clone, Copy)]
pub(crate) enum Progress {
    /// Its channel is not known without a session.
    AwaitingSession,
    /// The relay's confirmation of the channel, for this subscription.
    AwaitingSubscribed(ChannelId),
    /// The relay's answer to its channel token; the channel itself is there.
    AwaitingToken(ChannelId),
    /// Nothing: it is confirmed, and stays so while the connection comes and goes.
    Live(ChannelId, Continuity),
}

impl Subscription {
    pub(crate) fn channel(&self) -> Option<ChannelId> {
        match self.progress {
            Progress::AwaitingSession => None,
            Progress::AwaitingSubscribed(channel)
            | Progress::AwaitingToken(channel)
            | Progress::Live(channel, _) => Some(channel),
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        matches!(self.progress, Progress::Live(..))
    }

    /// The end of the call's wait for its confirmation.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.due.filter(|_| !self.is_live())
    }
}
