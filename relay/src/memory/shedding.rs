//! What the relay does when it holds too much: the replay cache gives up its oldest publications, down to a floor; then
//! the connections that hold most are ended, one after the other, until there is room.

use super::{Memory, SHED_ABOVE, SHED_TO};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Pause where nothing is left to give back.
const PAUSE: Duration = Duration::from_millis(50);
/// Connections that hold less than this are left alone, in bytes: they are not why memory is short.
const LEAST: usize = 4 * 1024;

/// A connection, as far as it matters here.
pub(crate) trait Holder {
    /// Bytes that wait for it or that it holds.
    fn weight(&self) -> usize;
    /// Gives them back and ends the connection.
    fn shed(&self);
}

/// Sheds whenever memory is short, until the relay shuts down. `evict` makes the replay cache give up so many bytes and
/// returns how many it gave up; `holders` are the connections.
pub(crate) async fn run<H>(
    memory: Arc<Memory>,
    evict: impl Fn(usize) -> usize + Send,
    holders: impl Fn() -> Vec<Arc<H>> + Send,
    shutdown: CancellationToken,
) where
    H: Holder + Send + Sync,
{
    while shutdown.run_until_cancelled(memory.pressed.notified()).await.is_some() {
        if !memory.exceeds(SHED_ABOVE) {
            continue;
        }
        relieve(&memory, &evict, &holders);
        memory.relieved.notify_waiters();
        if memory.exceeds(SHED_ABOVE) {
            tracing::warn!(held = memory.held().total(), "memory is short and nothing is left to give back");
            sleep(PAUSE).await;
        }
    }
}

fn relieve<H: Holder>(memory: &Memory, evict: &impl Fn(usize) -> usize, holders: &impl Fn() -> Vec<Arc<H>>) {
    let target = memory.budget.load(Ordering::Relaxed) / 16 * SHED_TO;
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
    if !memory.exceeds(SHED_TO) {
        return;
    }
    let mut heaviest: Vec<(usize, Arc<H>)> = holders()
        .into_iter()
        .map(|holder| (holder.weight(), holder))
        .filter(|(weight, _)| *weight >= LEAST)
        .collect();
    heaviest.sort_unstable_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let mut ended: u64 = 0;
    for (_, holder) in heaviest {
        if !memory.exceeds(SHED_TO) {
            break;
        }
        holder.shed();
        ended += 1;
    }
    memory.shed.fetch_add(ended, Ordering::Relaxed);
    tracing::warn!(evicted, ended, held = memory.held().total(), "memory was short");
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::sync::Mutex;

    struct Queue(Mutex<Vec<Bytes>>);

    impl Queue {
        fn of(frames: &[&Bytes]) -> Arc<Self> {
            Arc::new(Self(Mutex::new(frames.iter().map(|frame| (*frame).clone()).collect())))
        }
    }

    impl Holder for Queue {
        fn weight(&self) -> usize {
            self.0.lock().unwrap().iter().map(Bytes::len).sum()
        }

        fn shed(&self) {
            self.0.lock().unwrap().clear();
        }
    }

    const MIB: usize = 1 << 20;

    #[test]
    fn the_cache_goes_first_and_then_whoever_holds_most() {
        let memory = Arc::new(Memory::new(16 * MIB));
        let frame = |len: usize| memory.count(vec![0; len].into());
        let cached = Mutex::new(vec![frame(3 * MIB), frame(3 * MIB)]);
        let (large, middle, small) = (frame(4 * MIB), frame(3 * MIB), frame(MIB));
        let queues = [Queue::of(&[&small]), Queue::of(&[&large]), Queue::of(&[&middle, &small])];
        drop((large, middle, small));
        // One publication stays: the floor.
        let evict = |wanted: usize| {
            let mut cached = cached.lock().unwrap();
            let mut given = 0;
            while given < wanted && cached.len() > 1 {
                given += cached.remove(0).len();
            }
            given
        };
        let holders = || queues.to_vec();
        let sizes = || queues.each_ref().map(|queue| queue.weight() / MIB);

        assert!(memory.is_full());
        relieve(&memory, &evict, &holders);
        assert_eq!((cached.lock().unwrap().len(), sizes()), (1, [1, 0, 4]));
        assert!(!memory.exceeds(SHED_TO));
        assert_eq!((memory.evicted_bytes(), memory.shed_connections()), (3 * MIB as u64, 1));
        // It is enough: nobody else is ended.
        relieve(&memory, &evict, &holders);
        assert_eq!(sizes(), [1, 0, 4]);
    }

    #[tokio::test]
    async fn publishers_wait_until_there_is_room_and_no_longer_than_a_moment() {
        let memory = Arc::new(Memory::new(16 * MIB));
        let shutdown = CancellationToken::new();
        let stuck = memory.count(vec![0; 13 * MIB].into());
        assert!(!memory.has_room().await);
        let queue = Queue::of(&[&stuck]);
        drop(stuck);
        let holders = move || vec![queue.clone()];
        let shedder = tokio::spawn(run(memory.clone(), |_| 0, holders, shutdown.clone()));
        assert!(memory.has_room().await);
        assert_eq!(memory.shed_connections(), 1);
        shutdown.cancel();
        shedder.await.unwrap();
    }
}
