//! Writes a relay's revocations to the log, and removes those that a later one replaces.

use super::{PARALLEL, Replica};
use crate::{
    auth::revocations::SharedRevocation,
    cluster::revocations::{
        entry::{Entry, EntryName},
        log::{LogError, RevocationLog},
    },
    critical_task,
};
use futures_util::future::try_join_all;

/// The number of times that a write is repeated because another relay wrote the same revocation.
const MAX_CONFLICTS: usize = 16;

impl<L: RevocationLog> Replica<L> {
    pub(super) async fn write_pending(&self) -> Result<(), LogError> {
        let pending: Vec<_> = {
            let mut pending = critical_task::unpoisoned(self.pending.lock());
            pending.retain(|_, SharedRevocation { app, installation, selection, .. }| {
                self.revocations.before(app, installation, selection).is_some()
            });
            pending.values().cloned().collect()
        };
        for revocation in &pending {
            match self.publish(revocation).await {
                // The caller was told, and this relay's copy stays in force.
                Err(LogError::Full) | Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes revocations that this relay has and the log lacks. A log without room is not an error here: this relay's
    /// copy stays in force.
    pub(super) async fn write_all(&self, revocations: Vec<SharedRevocation>) -> Result<(), LogError> {
        for part in revocations.chunks(PARALLEL as usize) {
            match try_join_all(part.iter().map(|revocation| self.write(revocation))).await {
                Err(LogError::Full) => {
                    tracing::error!(
                        "the broker has no room for the revocations of this relay; new relays lack them"
                    );
                    return Ok(());
                }
                written => drop(written?),
            }
        }
        Ok(())
    }

    /// Writes a revocation, unless the log has one that covers as much. Returns the sequence of its message.
    pub(super) async fn write(&self, revocation: &SharedRevocation) -> Result<u64, LogError> {
        let name = EntryName::of(revocation);
        for _ in 0..MAX_CONFLICTS {
            let found = self.log.find(name).await?;
            let expected = found.as_ref().map_or(0, |message| message.sequence);
            let entry = found.and_then(|message| Entry::decode(&message.payload, &self.keys));
            let mut revocation = revocation.clone();
            if let Some(entry) = entry.filter(|entry| EntryName::of(&entry.revocation) == name) {
                if entry.suffices_for(&revocation, &self.keys) {
                    return Ok(expected);
                }
                revocation.before = revocation.before.max(entry.revocation.before);
            }
            match self.log.replace(name, Entry::encode(&revocation, &self.keys), expected).await {
                Err(LogError::Conflict) => {}
                written => return written,
            }
        }
        Err(LogError::Conflict)
    }

    /// Removes messages that a later one of their whole installation replaces. Only messages before `next` are known to
    /// cover no later tokens.
    pub(super) async fn purge(&self, next: u64) -> Result<(), LogError> {
        let is_read = |(_, sequence): &mut (SharedRevocation, u64)| *sequence < next;
        let due: Vec<_> = critical_task::unpoisoned(self.purges.lock()).extract_if(.., is_read).collect();
        for (revocation, sequence) in due {
            let SharedRevocation { app, installation, before, .. } = &revocation;
            if self.revocations.has_later(app, installation, *before) {
                continue;
            }
            if let Err(error) = self.log.purge(EntryName::of(&revocation), sequence).await {
                critical_task::unpoisoned(self.purges.lock()).push((revocation, sequence));
                return Err(error);
            }
        }
        Ok(())
    }
}
