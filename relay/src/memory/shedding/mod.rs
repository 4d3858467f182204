//! The shedder. When memory is short, the replay cache evicts its oldest publications, down to a floor. If that is not
//! enough, connections are ended one by one until there is room: first unauthenticated ones, the oldest first; then
//! those whose clients do not read, the largest first. A client that reads is ended only at the limit of memory, and an
//! idle one only after the budget was reduced.

use super::{
    Memory, MemoryKind,
    marks::{FULL, LIMIT, SHED_ABOVE, SHED_TO, SHED_TO_FOR_NEWCOMERS, UNAUTHENTICATED},
};
use std::{
    cmp::Reverse,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// The pause after a run that could end no connection.
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// The minimum time between two log lines.
const LOG_INTERVAL: Duration = Duration::from_secs(1);
/// The waiting bytes below which a connection counts as idle: it is not the reason for the shortage.
pub(crate) const MIN_BACKLOG: usize = 4 * 1024;
/// The age in milliseconds at which an unauthenticated connection may be ended.
const MIN_UNAUTHENTICATED_AGE: u32 = 3_000;
/// The time in milliseconds after which a client that reads nothing may be disconnected.
const STALLED: u32 = 1_000;
/// The time in milliseconds after which such a client may be disconnected while publishers wait for memory, which they
/// do for at most a second.
const STALLED_WHEN_FULL: u32 = 250;

/// The class of a connection, from which the shedder derives the order of ending connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShedClass {
    /// The connection has shown no valid token for `age` milliseconds.
    Unauthenticated { age: u32, bytes: usize },
    /// At least [`MIN_BACKLOG`] bytes are queued for the client or belong to its incomplete message, without progress
    /// for `stalled` milliseconds.
    Backlogged { stalled: u32, bytes: usize },
    /// Less than [`MIN_BACKLOG`] is waiting; `bytes` is the memory of the connection itself.
    Idle { bytes: usize },
    /// The connection was ended, and its client has time to read the reason.
    Closing { bytes: usize },
    /// The connection must not be ended: it has a request with a token, or is closing at once.
    Exempt,
}

/// A connection that the shedder can end.
pub(crate) trait Holder: Send + Sync {
    /// Returns the connection's class, with the bytes that ending it would release.
    fn shed_class(&self) -> ShedClass;
    /// Ends the connection, and releases as much of its memory at once as possible. The rest counts as released from
    /// now on.
    fn shed(&self);
}

/// Sheds whenever memory is short, until the relay shuts down. `evict` evicts a number of bytes from the replay cache
/// and returns how many it evicted; `holders` returns all connections.
pub(crate) async fn run(
    memory: Arc<Memory>,
    evict: impl Fn(usize) -> usize + Send,
    holders: impl Fn() -> Vec<Arc<dyn Holder>> + Send,
    shutdown: CancellationToken,
) {
    let (mut unlogged, mut logged_at) = (ShedResult::default(), None);
    while shutdown.run_until_cancelled(memory.pressure.notified()).await.is_some() {
        let result = shed_once(&memory, &evict, &holders);
        memory.relieved.notify_waiters();
        let is_short = memory.is_short();
        unlogged += result;
        if (unlogged.ended > 0 || is_short)
            && logged_at.is_none_or(|logged_at: Instant| logged_at.elapsed() >= LOG_INTERVAL)
        {
            let ShedResult { evicted, ended, .. } = std::mem::take(&mut unlogged);
            tracing::warn!(evicted, ended, still = is_short, usage = ?memory.usage(), "memory was short");
            logged_at = Some(Instant::now());
        }
        if result.ended_nothing() {
            sleep(RETRY_PAUSE).await;
        }
        if is_short {
            // The next run may find that connections have released their rest, or that further clients have stalled.
            memory.pressure.notify_one();
        }
    }
}

/// The result of one or more runs.
#[derive(Clone, Copy, Default)]
struct ShedResult {
    /// The bytes of evicted publications.
    evicted: usize,
    /// The number of ended connections.
    ended: u64,
    /// True if the run examined the connections.
    examined: bool,
}

impl ShedResult {
    /// Returns whether the run examined all connections and ended none.
    fn ended_nothing(self) -> bool {
        self.examined && self.ended == 0
    }
}

impl std::ops::AddAssign for ShedResult {
    fn add_assign(&mut self, more: Self) {
        self.evicted += more.evicted;
        self.ended += more.ended;
    }
}

/// Evicts from the replay cache, and ends connections if that is not enough.
fn shed_once(
    memory: &Memory,
    evict: &impl Fn(usize) -> usize,
    holders: &impl Fn() -> Vec<Arc<dyn Holder>>,
) -> ShedResult {
    let target = memory.share(SHED_TO);
    let mut evicted = 0;
    // Evicting a publication that is also queued releases nothing, so further ones are evicted, down to the floor.
    while memory.exceeds(SHED_TO) {
        let more = evict(memory.usage().total().saturating_sub(target));
        if more == 0 {
            break;
        }
        evicted += more;
    }
    memory.evictions.fetch_add(evicted as u64, Ordering::Relaxed);
    memory.scarce.store(memory.exceeds(SHED_TO), Ordering::Relaxed);
    let newcomers = memory.newcomers_refused.swap(false, Ordering::Relaxed) && memory.exceeds(SHED_TO);
    let (is_short, excess) = (memory.is_short(), unauthenticated_excess(memory));
    let shed_to = match (is_short, newcomers) {
        (_, true) => Some(SHED_TO_FOR_NEWCOMERS),
        (true, false) => Some(SHED_TO),
        (false, false) => None,
    };
    if shed_to.is_none() && excess == 0 {
        return ShedResult { evicted, ..ShedResult::default() };
    }
    let ended = Candidates::of(holders()).shed(memory, shed_to, excess);
    memory.shed.fetch_add(ended, Ordering::Relaxed);
    ShedResult { evicted, ended, examined: true }
}

/// Returns the bytes that unauthenticated connections must release to make room for others of their kind.
fn unauthenticated_excess(memory: &Memory) -> usize {
    let (held, share) = (memory.held_for(MemoryKind::Unauthenticated), memory.share(UNAUTHENTICATED));
    if held > share / 8 * 7 { held - share / 4 * 3 } else { 0 }
}

type Candidate = (usize, Arc<dyn Holder>);

/// All connections, by class.
#[derive(Default)]
struct Candidates {
    /// The unauthenticated connections with their age, the oldest first.
    unauthenticated: Vec<(u32, Candidate)>,
    /// The backlogged connections with the time since their last progress, the largest first.
    backlogged: Vec<(u32, Candidate)>,
    /// The idle connections, the largest first.
    idle: Vec<Candidate>,
    /// The closing connections, the largest first.
    closing: Vec<Candidate>,
}

impl Candidates {
    fn of(holders: Vec<Arc<dyn Holder>>) -> Self {
        let mut candidates = Self::default();
        for holder in holders {
            match holder.shed_class() {
                ShedClass::Unauthenticated { age, bytes } => {
                    candidates.unauthenticated.push((age, (bytes, holder)))
                }
                ShedClass::Backlogged { stalled, bytes } => {
                    candidates.backlogged.push((stalled, (bytes, holder)))
                }
                ShedClass::Idle { bytes } => candidates.idle.push((bytes, holder)),
                ShedClass::Closing { bytes } => candidates.closing.push((bytes, holder)),
                ShedClass::Exempt => {}
            }
        }
        candidates.unauthenticated.sort_unstable_by_key(|(age, _)| Reverse(*age));
        candidates.backlogged.sort_unstable_by_key(|(_, (bytes, _))| Reverse(*bytes));
        candidates.idle.sort_unstable_by_key(|(bytes, _)| Reverse(*bytes));
        candidates.closing.sort_unstable_by_key(|(bytes, _)| Reverse(*bytes));
        candidates
    }

    /// Ends unauthenticated connections of `excess` bytes, and, with `shed_to`, further connections until at most that
    /// many sixteenths of the budget are held. Returns the number of ended connections.
    fn shed(self, memory: &Memory, shed_to: Option<usize>, mut excess: usize) -> u64 {
        let mut ended = 0;
        let is_short = || shed_to.is_some_and(|shed_to| memory.exceeds(shed_to));
        for (_, (bytes, holder)) in
            self.unauthenticated.iter().take_while(|(age, _)| *age >= MIN_UNAUTHENTICATED_AGE)
        {
            if excess == 0 && !is_short() {
                break;
            }
            holder.shed();
            excess = excess.saturating_sub(*bytes);
            ended += 1;
        }
        let mut backlogged = self.backlogged;
        ended += shed_stalled(&mut backlogged, STALLED, is_short);
        ended += shed_stalled(&mut backlogged, STALLED_WHEN_FULL, || memory.exceeds(FULL));
        ended += shed_stalled(&mut backlogged, 0, || memory.exceeds(LIMIT));
        // Clients that were already ended lose the time to read the reason while publishers wait for memory.
        let mut released = if memory.is_full() { 0 } else { usize::MAX };
        for (bytes, holder) in self.closing {
            if memory.usage().total() <= memory.share(SHED_TO).saturating_add(released) {
                break;
            }
            holder.shed();
            released += bytes;
        }
        // Idle connections exceed the budget only after it was reduced.
        let mut idle: usize = self.idle.iter().map(|(bytes, _)| bytes).sum();
        for (bytes, holder) in self.idle {
            if idle <= memory.share(SHED_ABOVE) {
                break;
            }
            holder.shed();
            idle -= bytes;
            ended += 1;
        }
        ended
    }
}

/// Ends candidates without progress for at least `min_stalled` milliseconds, while `is_short` returns true.
fn shed_stalled(
    backlogged: &mut Vec<(u32, Candidate)>,
    min_stalled: u32,
    is_short: impl Fn() -> bool,
) -> u64 {
    let mut ended = 0;
    backlogged.retain(|(stalled, (_, holder))| {
        let is_ended = *stalled >= min_stalled && is_short();
        if is_ended {
            holder.shed();
            ended += 1;
        }
        !is_ended
    });
    ended
}

#[cfg(test)]
mod tests;
