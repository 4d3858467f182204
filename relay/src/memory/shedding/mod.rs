//! The shedder. When too much is held, the replay cache gives up its oldest publications, down to a floor. If that is too
//! little, connections are ended, one after the other, until there is room: first those without a token, the oldest first,
//! then those whose clients do not read, the largest first. A client that reads is ended only if memory runs out
//! altogether, and an idle one only after the budget was made smaller.

use super::{
    Kind, Memory,
    marks::{FULL, GUESTS, LIMIT, SHED_ABOVE, SHED_TO, SHED_TO_FOR_NEWCOMERS},
};
use std::{
    cmp::Reverse,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// The pause after a run that found nothing to give back.
const PAUSE: Duration = Duration::from_millis(100);
/// The shortest time between two lines in the log.
const SILENCE: Duration = Duration::from_secs(1);
/// Connections with fewer bytes that wait count as settled: they are not the reason that memory is short.
pub(crate) const MIN_WAITING: usize = 4 * 1024;
/// Milliseconds without a token after which a connection may be ended for memory.
const GRACE: u32 = 3_000;
/// Milliseconds in which a client read nothing, after which its connection may be ended for memory.
const STALLED: u32 = 1_000;
/// The same while publishers wait, which they do for a second at most.
const STALLED_WHEN_FULL: u32 = 250;

/// A connection as the shedder sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The connection has shown no token, for so many milliseconds.
    Stranger { age: u32, bytes: usize },
    /// At least [`MIN_WAITING`] bytes wait for the client or of its unfinished message, and none moved for so many milliseconds.
    Waiting { stalled: u32, bytes: usize },
    /// Hardly anything waits; the connection itself takes so many bytes.
    Settled { bytes: usize },
    /// The connection was ended, and its client has a moment to read the reason.
    Leaving { bytes: usize },
    /// The connection is gone already, or has a request with a token.
    Exempt,
}

/// A connection that can be ended for memory.
pub(crate) trait Holder: Send + Sync {
    /// The memory that ending it would give back.
    fn standing(&self) -> Standing;
    /// Ends the connection and gives back at once all memory that it can. The rest counts as given back from now on.
    fn shed(&self);
}

/// Sheds whenever memory is short, until the relay shuts down. `evict` makes the replay cache give up so many bytes and
/// returns the number that it gave up; `holders` are the connections.
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
            // Connections may have given back their rest meanwhile, or a client may have stopped to read.
            memory.pressed.notify_one();
        }
    }
}

/// The result of a run.
#[derive(Clone, Copy, Default)]
struct Relief {
    /// Bytes of publications that the cache gave up.
    evicted: usize,
    /// Connections that were ended.
    ended: u64,
    /// The run looked at the connections.
    looked: bool,
}

impl Relief {
    /// True if the run looked at all connections and could end none.
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
    // A publication that is queued as well gives nothing back; then more of them go, down to the floor.
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

/// Bytes that strangers have to give back to make room for other strangers.
fn crowd(memory: &Memory) -> usize {
    let (held, share) = (memory.held_for(Kind::Guests), memory.share(GUESTS));
    if held > share / 8 * 7 { held - share / 4 * 3 } else { 0 }
}

type Candidate = (usize, Arc<dyn Holder>);

/// All connections by their standing.
#[derive(Default)]
struct Candidates {
    /// Each with its age, the oldest first.
    strangers: Vec<(u32, Candidate)>,
    /// Each with the time for which nothing moved, the largest first.
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

    /// Ends connections until no more than `shed_to` sixteenths are held, if memory is short, and strangers of `crowd` bytes
    /// in any case. Returns the number of connections.
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
        // Publishers do not wait for clients that were ended already and have a moment to read the reason.
        let mut given = if memory.is_full() { 0 } else { usize::MAX };
        for (bytes, holder) in self.leaving {
            if memory.held().total() <= memory.share(SHED_TO).saturating_add(given) {
                break;
            }
            holder.shed();
            given += bytes;
        }
        // Too many idle connections: the budget was made smaller.
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

/// Ends candidates for which nothing moved for at least so long, while memory is short.
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
