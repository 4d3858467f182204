//! A relay's copy of the cluster's revocations. Each is written to the log before its request is answered, and a relay
//! reads the whole log before it admits sessions. If the log loses its contents, every relay writes its copy again.

mod writing;

use super::{
    entry::{Entry, EntryName},
    log::{Epoch, LogError, LogMessage, LogState, RevocationLog},
};
use crate::{
    auth::{
        revocations::{Completeness, Revocations, SharedRevocation},
        signing_keys::SigningKeys,
    },
    clock::Now,
    critical_task,
};
use futures_util::future::try_join_all;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// The number of messages that are read or written at the same time.
const PARALLEL: u64 = 16;
/// The age that the log's contents must have before a starting relay takes them for everything. Meanwhile the other relays
/// notice new contents and write their copies.
const SETTLE: Duration = Duration::from_millis(2500);
/// The shortest time between two repairs of messages that others overwrote.
const REPAIR_INTERVAL: Duration = Duration::from_secs(5);

/// A relay's copy of the revocations, and the log.
pub(crate) struct Replica<L> {
    log: L,
    revocations: Arc<Revocations>,
    keys: Arc<SigningKeys>,
    /// The revocations of this relay's callers that the log has not acknowledged yet.
    pending: Mutex<HashMap<String, SharedRevocation>>,
    /// The acknowledged revocations of whole installations, with their sequence, whose narrower predecessors are not
    /// removed from the log yet.
    purges: Mutex<Vec<(SharedRevocation, u64)>>,
}

/// The position up to which a relay has read the log.
#[derive(Default)]
pub(crate) struct Position {
    read: Option<ReadPosition>,
    /// The names whose message is unreadable, or covers less than this relay's copy.
    suspects: HashSet<String>,
    last_repair: Option<Instant>,
    /// The time of the first successful read.
    first_read: Option<Instant>,
    /// True if a revocation did not fit into this relay's table.
    has_overflowed: bool,
}

struct ReadPosition {
    epoch: Epoch,
    /// The keys with which the messages were read.
    keys: (u32, usize),
    /// The first sequence that was not read.
    next: u64,
}

impl<L: RevocationLog> Replica<L> {
    pub(crate) fn new(log: L, revocations: Arc<Revocations>, keys: Arc<SigningKeys>) -> Self {
        let (pending, purges) = (Mutex::default(), Mutex::default());
        Self { log, revocations, keys, pending, purges }
    }

    pub(crate) fn log(&self) -> &L {
        &self.log
    }

    /// Writes a revocation of this relay's callers to the log. After an error, and if the future is dropped, the writing
    /// is repeated by [`Self::follow`].
    pub(crate) async fn publish(&self, revocation: &SharedRevocation) -> Result<(), LogError> {
        let name = EntryName::of(revocation).to_string();
        critical_task::unpoisoned(self.pending.lock()).insert(name.clone(), revocation.clone());
        let sequence = self.write(revocation).await?;
        let mut pending = critical_task::unpoisoned(self.pending.lock());
        if pending.get(&name) == Some(revocation) {
            pending.remove(&name);
        }
        drop(pending);
        if revocation.selection.is_everything() {
            critical_task::unpoisoned(self.purges.lock()).push((revocation.clone(), sequence));
        }
        Ok(())
    }

    /// Applies a message that was heard before the log was read. Returns its revocation if it is new to this relay.
    pub(crate) fn hear(&self, payload: &[u8], now: Now) -> Option<SharedRevocation> {
        let entry = Entry::decode(payload, &self.keys)?;
        let is_new = self.revocations.add_shared(&entry.revocation, now).is_ok_and(|is_new| is_new);
        is_new.then_some(entry.revocation)
    }

    /// Returns whether this relay has read the log at least once.
    pub(crate) fn is_read(&self) -> bool {
        self.revocations.is_read()
    }

    /// Notes that the log cannot be read at the moment.
    pub(crate) fn fall_behind(&self) {
        let completeness =
            if self.revocations.is_read() { Completeness::Behind } else { Completeness::Unread };
        self.revocations.set_completeness(completeness);
    }

    /// Reads what is new in the log, and writes what it lacks. Adds the revocations that are new to this relay to `new`, even
    /// if it fails later. The caller calls it once a second.
    pub(crate) async fn follow(
        &self,
        position: &mut Position,
        now: Now,
        new: &mut Vec<SharedRevocation>,
    ) -> Result<(), LogError> {
        let has_all = self.read_and_repair(position, now, new).await;
        match &has_all {
            Ok(true) => self.revocations.set_completeness(Completeness::Complete),
            _ => self.fall_behind(),
        }
        has_all.map(|_| ())
    }

    /// Returns whether this relay has all revocations.
    async fn read_and_repair(
        &self,
        position: &mut Position,
        now: Now,
        new: &mut Vec<SharedRevocation>,
    ) -> Result<bool, LogError> {
        let (epoch, keys) = (self.current_epoch().await?, self.keys.version());
        let LogState { last, time } = self.log.state().await?;
        let known = position.read.as_ref().filter(|read| read.epoch.id == epoch.id);
        // Other keys may read other messages, and sign them anew.
        let known = known.filter(|read| read.keys == keys && !position.has_overflowed);
        let end = last.saturating_add(1);
        // An earlier answer overstated the end of the log.
        let known = known.filter(|read| read.next <= end);
        let (from, is_first_pass) = known.map_or((1, true), |read| (read.next, false));
        let messages = self.read(from, last).await?;
        // Only messages prove how far the log was read.
        let next = messages.iter().map(|message| message.sequence.saturating_add(1)).fold(from, u64::max);
        position.has_overflowed = false;
        let covered = self.apply(&messages, position, now, new);
        // If anything below fails, the next call starts from the same position.
        let lacking = match is_first_pass {
            true => self.held(now, |name| !covered.contains(name)),
            false => self.suspects(position, now),
        };
        self.write_all(lacking).await?;
        self.write_pending().await?;
        self.purge(end).await?;
        let has_same_contents = self.log.epoch().await?.is_some_and(|after| after.id == epoch.id);
        position.read = has_same_contents.then_some(ReadPosition { epoch, keys, next });
        let age = Duration::from_millis(time.0.saturating_sub(epoch.time.0));
        // Another relay may still repair a message that somebody overwrote.
        let first_read = *position.first_read.get_or_insert(now.monotonic);
        let is_clean =
            position.suspects.is_empty() || now.monotonic.saturating_duration_since(first_read) >= SETTLE;
        let is_settled = self.revocations.is_read() || age >= SETTLE && is_clean;
        Ok(has_same_contents && is_settled && !position.has_overflowed)
    }

    /// Returns the epoch of the log's contents, which gets one if it has none.
    async fn current_epoch(&self) -> Result<Epoch, LogError> {
        if let Some(epoch) = self.log.epoch().await? {
            return Ok(epoch);
        }
        let random = || LogError::Unavailable("the system returned no random bytes".to_owned());
        self.log.start_epoch(getrandom::u64().map_err(|_| random())?).await?;
        let lost = || LogError::Unavailable("the broker lost a message that it had acknowledged".to_owned());
        self.log.epoch().await?.ok_or_else(lost)
    }

    /// Reads the messages of these sequences.
    async fn read(&self, from: u64, last: u64) -> Result<Vec<LogMessage>, LogError> {
        let count = last.saturating_add(1).saturating_sub(from);
        let step = count.div_ceil(PARALLEL).max(1);
        let starts =
            (0..PARALLEL).map(|part| from.saturating_add(part * step)).take_while(|start| *start <= last);
        let parts = starts.map(|start| self.read_part(start, start.saturating_add(step - 1).min(last)));
        Ok(try_join_all(parts).await?.into_iter().flatten().collect())
    }

    async fn read_part(&self, from: u64, last: u64) -> Result<Vec<LogMessage>, LogError> {
        let (mut messages, mut next) = (Vec::new(), from);
        while next <= last {
            match self.log.next(next).await? {
                Some(message) if (next..=last).contains(&message.sequence) => {
                    let Some(after) = message.sequence.checked_add(1) else { break };
                    next = after;
                    messages.push(message);
                }
                _ => break,
            }
        }
        Ok(messages)
    }

    /// Adds the revocations of messages to this relay's. Returns the names whose message needs no repair.
    fn apply(
        &self,
        messages: &[LogMessage],
        position: &mut Position,
        now: Now,
        new: &mut Vec<SharedRevocation>,
    ) -> HashSet<String> {
        let mut covered = HashSet::new();
        for LogMessage { name, payload, .. } in messages {
            let entry = Entry::decode(payload, &self.keys);
            let Some(entry) = entry.filter(|entry| EntryName::of(&entry.revocation).to_string() == *name)
            else {
                position.suspects.insert(name.clone());
                continue;
            };
            let revocation = &entry.revocation;
            match self.revocations.add_shared(revocation, now) {
                Ok(true) => new.push(revocation.clone()),
                Ok(false) => {}
                Err(refused) => {
                    position.has_overflowed = true;
                    tracing::error!(%refused, "a revocation of another relay is not in force here");
                }
            }
            let SharedRevocation { app, installation, selection, before } = revocation;
            let held = self.revocations.before(app, installation, selection).unwrap_or(*before);
            let held = SharedRevocation { before: held, ..revocation.clone() };
            if entry.suffices_for(&held, &self.keys) {
                position.suspects.remove(name);
                covered.insert(name.clone());
            } else if held.before > *before {
                position.suspects.insert(name.clone());
            }
        }
        covered
    }

    /// Returns this relay's revocations whose name meets a condition.
    fn held(&self, now: Now, condition: impl Fn(&String) -> bool) -> Vec<SharedRevocation> {
        let mut held = self.revocations.shared(now);
        held.retain(|revocation| condition(&EntryName::of(revocation).to_string()));
        held
    }

    /// Takes this relay's revocations that others may have overwritten in the log.
    fn suspects(&self, position: &mut Position, now: Now) -> Vec<SharedRevocation> {
        let is_due = position
            .last_repair
            .is_none_or(|last| now.monotonic.saturating_duration_since(last) >= REPAIR_INTERVAL);
        if position.suspects.is_empty() || !is_due || !self.revocations.is_read() {
            return Vec::new();
        }
        position.last_repair = Some(now.monotonic);
        let suspects = std::mem::take(&mut position.suspects);
        let held = self.held(now, |name| suspects.contains(name));
        tracing::warn!(
            messages = suspects.len(),
            repaired = held.len(),
            "the broker has revocations that no key of this relay signed, or that were replaced by older ones"
        );
        held
    }
}

#[cfg(test)]
mod tests;
