//! The hashes under which the console shows installations, accounts and channels.

use crate::{audit::Subject, telemetry::Telemetry};
use sealwire_protocol::ChannelId;
use std::hash::{BuildHasher as _, Hash, RandomState};

/// Hashes with a key that is random in each process. The ids of channels are hashes that others can compute, and the keys
/// of the relay's tables protect those tables: neither may leave the relay.
pub(super) struct Hashes {
    key: RandomState,
    /// While traces are recorded, the hashes are those of the traces.
    telemetry: Telemetry,
}

impl Hashes {
    pub(super) fn new(telemetry: Telemetry) -> Self {
        Self { key: RandomState::new(), telemetry }
    }

    pub(super) fn installation(&self, installation: u64) -> String {
        self.of(("installation", installation))
    }

    pub(super) fn account(&self, subject: Subject) -> Option<String> {
        subject.account.map(|account| self.of(("account", subject.installation, account)))
    }

    pub(super) fn channel(&self, channel: ChannelId) -> String {
        self.of(("channel", channel.0))
    }

    fn of(&self, value: impl Hash) -> String {
        let hash = match self.telemetry.recorder() {
            Some(recorder) => recorder.hash(value),
            None => self.key.hash_one(value),
        };
        format!("{hash:016x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_differ_between_processes_kinds_and_accounts() {
        let [one, two] = [(); 2].map(|()| Hashes::new(Telemetry::default()));
        let subject = |account| Subject { installation: 1, account };
        assert_eq!(one.installation(1), one.installation(1));
        assert_ne!(one.installation(1), two.installation(1));
        assert_ne!(one.account(subject(Some(1))), one.account(subject(Some(2))));
        assert_ne!(one.account(subject(Some(1))), Some(one.installation(1)));
        assert_eq!(one.account(subject(None)), None);
        assert_ne!(one.channel(ChannelId([1; 16])), two.channel(ChannelId([1; 16])));
    }
}
