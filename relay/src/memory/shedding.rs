//! What the relay does when it holds too much. Newcomers are refused elsewhere; here, the replay cache gives up its oldest
//! publications, down to a floor; then connections are ended, one after the other, until there is room: those that have
//! not shown a token, the oldest first, then those whose clients do not read, the largest first. A client that reads is
//! ended only where nothing else is left, and one for which nothing waits only where the budget was made smaller.

use super::{FULL, GUESTS, Kind, LIMIT, Memory, SHED_ABOVE, SHED_TO, SHED_TO_FOR_NEWCOMERS};
use std::{
    cmp::Reverse,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Pause where nothing is left to give back at the moment.
const PAUSE: Duration = Duration::from_millis(100);
/// Least time between two lines in the log.
const SILENCE: Duration = Duration::from_secs(1);
/// Connections for which less than this waits count as settled, in bytes: they are not why memory is short.
pub(crate) const LEAST: usize = 4 * 1024;
/// How long a connection may take to show a token before it is ended for memory, in milliseconds.
const GRACE: u32 = 3_000;
/// How long a client may read nothing before its connection is ended for memory, in milliseconds.
const STALLED: u32 = 1_000;
/// The same while publishers wait, who wait for a second at most.
const STALLED_WHEN_FULL: u32 = 250;

/// What a connection is to the shedder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// No token was shown yet, for so many milliseconds.
    Stranger { age: u32, bytes: usize },
    /// So many bytes wait for the client or of it, at least [`LEAST`], and it has moved none for so many milliseconds.
    Waiting { stalled: u32, bytes: usize },
    /// Nothing to speak of waits; the connection itself takes so many bytes.
    Settled { bytes: usize },
    /// The connection was ended, and its client has a moment to read why.
    Leaving { bytes: usize },
    /// The connection is gone already, or its request is under way.
    Exempt,
}

/// A connection, as far as it matters here.
pub(crate) trait Holder: Send + Sync {
    /// What ending it would give back.
    fn standing(&self) -> Standing;
    /// Gives back what it can at once and ends the connection. What is left of it no longer counts as held from here on.
    fn shed(&self);
}

/// Sheds whenever memory is short, until the relay shuts down. `evict` makes the replay cache give up so many bytes and
/// returns how many it gave up; `holders` are the connections.
pub(crate) async fn run(
    memory: Arc<Memory>,
    evict: impl Fn(usize) -> usize + Send,
    holders: impl Fn() -> Vec<Arc<dyn Holder>> + Send,
    shutdown: CancellationToken,
) {
    let (mut untold, mut told) = (Relief::default(), None);
    while shutdown.run_until_cancelled(memory.pressed.notified()).await.is_some() {
        let relief = relieve(&memory, &evict, &holders);
        memory.relieved.notify_waiters();
        let is_short = memory.is_short();
        untold += relief;
        if (untold.ended > 0 || is_short) && told.is_none_or(|told: Instant| told.elapsed() >= SILENCE) {
            let Relief { evicted, ended, .. } = std::mem::take(&mut untold);
            tracing::warn!(evicted, ended, still = is_short, held = ?memory.held(), "memory was short");
            told = Some(Instant::now());
        }
        if relief.is_vain() {
            sleep(PAUSE).await;
        }
        if is_short {
            // There may be more: what was given back late, or a client that has stopped to read since.
            memory.pressed.notify_one();
        }
    }
}

/// What was given back.
#[derive(Clone, Copy, Default)]
struct Relief {
    /// Bytes of publications.
    evicted: usize,
    /// Connections.
    ended: u64,
    /// Whether connections were looked at.
    looked: bool,
}

impl Relief {
    /// Whether all connections were looked at, and none was found that could be ended.
    fn is_vain(self) -> bool {
        self.looked && self.ended == 0
    }
}

impl std::ops::AddAssign for Relief {
    fn add_assign(&mut self, more: Self) {
        self.evicted += more.evicted;
        self.ended += more.ended;
    }
}

fn relieve(
    memory: &Memory,
    evict: &impl Fn(usize) -> usize,
    holders: &impl Fn() -> Vec<Arc<dyn Holder>>,
) -> Relief {
    let target = memory.share(SHED_TO);
    let mut evicted = 0;
    // What is queued as well is not given back by this; then more goes, down to the floor.
    while memory.exceeds(SHED_TO) {
        let more = evict(memory.held().total().saturating_sub(target));
        if more == 0 {
            break;
        }
        evicted += more;
    }
    memory.evictions.fetch_add(evicted as u64, Ordering::Relaxed);
    memory.scarce.store(memory.exceeds(SHED_TO), Ordering::Relaxed);
    let newcomers = memory.wanted.swap(false, Ordering::Relaxed) && memory.exceeds(SHED_TO);
    let (is_short, crowd) = (memory.is_short(), crowd(memory));
    let shed_to = match (is_short, newcomers) {
        (_, true) => Some(SHED_TO_FOR_NEWCOMERS),
        (true, false) => Some(SHED_TO),
        (false, false) => None,
    };
    if shed_to.is_none() && crowd == 0 {
        return Relief { evicted, ..Relief::default() };
    }
    let ended = Candidates::of(holders()).shed(memory, shed_to, crowd);
    memory.shed.fetch_add(ended, Ordering::Relaxed);
    Relief { evicted, ended, looked: true }
}

/// Bytes that strangers have to give back, so that there is room for others of them.
fn crowd(memory: &Memory) -> usize {
    let (held, share) = (memory.held_for(Kind::Guests), memory.share(GUESTS));
    if held > share / 8 * 7 { held - share / 4 * 3 } else { 0 }
}

type Candidate = (usize, Arc<dyn Holder>);

/// All connections, by what they are.
#[derive(Default)]
struct Candidates {
    /// With their age, the oldest first.
    strangers: Vec<(u32, Candidate)>,
    /// With how long they moved nothing, the largest first.
    waiting: Vec<(u32, Candidate)>,
    /// The largest first.
    settled: Vec<Candidate>,
    /// The largest first.
    leaving: Vec<Candidate>,
}

impl Candidates {
    fn of(holders: Vec<Arc<dyn Holder>>) -> Self {
        let mut candidates = Self::default();
        for holder in holders {
            match holder.standing() {
                Standing::Stranger { age, bytes } => candidates.strangers.push((age, (bytes, holder))),
                Standing::Waiting { stalled, bytes } => candidates.waiting.push((stalled, (bytes, holder))),
                Standing::Settled { bytes } => candidates.settled.push((bytes, holder)),
                Standing::Leaving { bytes } => candidates.leaving.push((bytes, holder)),
                Standing::Exempt => {}
            }
        }
        candidates.strangers.sort_unstable_by_key(|(age, _)| Reverse(*age));
        candidates.waiting.sort_unstable_by_key(|(_, (bytes, _))| Reverse(*bytes));
        candidates.settled.sort_unstable_by_key(|(bytes, _)| Reverse(*bytes));
        candidates.leaving.sort_unstable_by_key(|(bytes, _)| Reverse(*bytes));
        candidates
    }

    /// Ends some of them: down to `shed_to` sixteenths, where memory is short, and so many bytes of strangers in any case.
    /// Returns how many it ended.
    fn shed(self, memory: &Memory, shed_to: Option<usize>, mut crowd: usize) -> u64 {
        let mut ended = 0;
        let is_short = || shed_to.is_some_and(|shed_to| memory.exceeds(shed_to));
        for (_, (bytes, holder)) in self.strangers.iter().take_while(|(age, _)| *age >= GRACE) {
            if crowd == 0 && !is_short() {
                break;
            }
            holder.shed();
            crowd = crowd.saturating_sub(*bytes);
            ended += 1;
        }
        let mut waiting = self.waiting;
        ended += shed_stalled(&mut waiting, STALLED, is_short);
        ended += shed_stalled(&mut waiting, STALLED_WHEN_FULL, || memory.exceeds(FULL));
        ended += shed_stalled(&mut waiting, 0, || memory.exceeds(LIMIT));
        // Those that were ended already get no moment to read why, where publishers would have to wait for that.
        let mut given = if memory.is_full() { 0 } else { usize::MAX };
        for (bytes, holder) in self.leaving {
            if memory.held().total() <= memory.share(SHED_TO).saturating_add(given) {
                break;
            }
            holder.shed();
            given += bytes;
        }
        // The reason is not what waits but who is there: the budget was made smaller.
        let mut settled: usize = self.settled.iter().map(|(bytes, _)| bytes).sum();
        for (bytes, holder) in self.settled {
            if settled <= memory.share(SHED_ABOVE) {
                break;
            }
            holder.shed();
            settled -= bytes;
            ended += 1;
        }
        ended
    }
}

/// Ends those of the candidates that moved nothing for so long, for as long as that is necessary.
fn shed_stalled(waiting: &mut Vec<(u32, Candidate)>, at_least: u32, is_short: impl Fn() -> bool) -> u64 {
    let mut ended = 0;
    waiting.retain(|(stalled, (_, holder))| {
        let goes = *stalled >= at_least && is_short();
        if goes {
            holder.shed();
            ended += 1;
        }
        !goes
    });
    ended
}

#[cfg(test)]
mod tests;
