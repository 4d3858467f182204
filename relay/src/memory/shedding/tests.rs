use super::*;
use crate::memory::marks::MUCH;
use bytes::Bytes;
use std::sync::Mutex;

const MIB: usize = 1 << 20;

/// A connection with a standing that the test chooses.
struct Fake {
    standing: Mutex<Standing>,
    queue: Mutex<Vec<Bytes>>,
    /// Bytes that a connection gives back when it has ended; here it never does.
    late: Mutex<Option<crate::memory::Reservation>>,
}

impl Fake {
    fn of(memory: &Arc<Memory>, standing: Standing, frames: &[&Bytes]) -> Arc<Self> {
        let late = match standing {
            Standing::Stranger { bytes, .. } => {
                Some(crate::memory::Reservation::new(memory.clone(), Kind::Guests, bytes))
            }
            Standing::Settled { bytes } => {
                Some(crate::memory::Reservation::new(memory.clone(), Kind::Connections, bytes))
            }
            Standing::Leaving { bytes } => {
                let mut held = crate::memory::Reservation::new(memory.clone(), Kind::Connections, bytes);
                held.leave();
                Some(held)
            }
            Standing::Waiting { .. } | Standing::Exempt => None,
        };
        Arc::new(Self {
            standing: Mutex::new(standing),
            queue: Mutex::new(frames.iter().map(|frame| (*frame).clone()).collect()),
            late: Mutex::new(late),
        })
    }

    /// True until it was shed.
    fn is_there(&self) -> bool {
        *self.standing.lock().unwrap() != Standing::Exempt
    }
}

impl Holder for Fake {
    fn standing(&self) -> Standing {
        *self.standing.lock().unwrap()
    }

    fn shed(&self) {
        assert!(self.is_there(), "a connection is ended twice");
        self.queue.lock().unwrap().clear();
        if let Some(late) = &mut *self.late.lock().unwrap() {
            late.leave();
        }
        *self.standing.lock().unwrap() = Standing::Exempt;
    }
}

fn waiting(stalled: u32, bytes: usize) -> Standing {
    Standing::Waiting { stalled, bytes }
}

fn relieve_with(memory: &Memory, evict: impl Fn(usize) -> usize, fakes: &[Arc<Fake>]) -> Vec<bool> {
    let holders = || fakes.iter().map(|fake| fake.clone() as Arc<dyn Holder>).collect();
    relieve(memory, &evict, &holders);
    fakes.iter().map(|fake| fake.is_there()).collect()
}

#[test]
fn the_cache_goes_first_and_then_clients_that_do_not_read_the_largest_first() {
    let memory = Arc::new(Memory::new(16 * MIB));
    let frame = |len: usize| memory.count(vec![0; len].into());
    let cached = Mutex::new(vec![frame(3 * MIB), frame(3 * MIB)]);
    let (large, middle, small) = (frame(4 * MIB), frame(3 * MIB), frame(MIB));
    let fakes = [
        Fake::of(&memory, waiting(STALLED, MIB), &[&small]),
        Fake::of(&memory, waiting(STALLED, 4 * MIB), &[&large]),
        Fake::of(&memory, waiting(STALLED, 4 * MIB - 1), &[&middle, &small]),
    ];
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
    assert!(memory.is_full());
    assert_eq!(relieve_with(&memory, evict, &fakes), [true, false, true]);
    assert_eq!(cached.lock().unwrap().len(), 1);
    assert!(!memory.exceeds(SHED_TO));
    assert_eq!((memory.evicted_bytes(), memory.shed_connections()), (3 * MIB as u64, 1));
    // That is enough: no other connection is ended.
    assert_eq!(relieve_with(&memory, evict, &fakes), [true, false, true]);
}

#[test]
fn what_connections_give_back_late_is_subtracted_before_the_next_is_ended() {
    let memory = Arc::new(Memory::new(16 * MIB));
    let strangers: Vec<_> = (0..20)
        .map(|number| Fake::of(&memory, Standing::Stranger { age: GRACE + number, bytes: MIB / 8 }, &[]))
        .collect();
    let _others = crate::memory::Reservation::new(memory.clone(), Kind::Connections, 9 * MIB);
    // 11.5 MiB are held, and 10 may be: twelve strangers of an eighth each have to go, the oldest.
    let there = relieve_with(&memory, |_| 0, &strangers);
    assert_eq!(there.iter().map(|there| u8::from(*there)).sum::<u8>(), 8);
    assert!(there[..8].iter().all(|there| *there));
    // They have given nothing back so far, and no other connection has to go.
    assert_eq!(memory.held().guests, 20 * MIB / 8);
    assert_eq!(relieve_with(&memory, |_| 0, &strangers), there);
}

#[test]
fn strangers_go_before_clients_that_do_not_read_and_other_connections_stay() {
    let memory = Arc::new(Memory::new(16 * MIB));
    let frame = |len: usize| memory.count(vec![0; len].into());
    let (one, two) = (frame(MIB), frame(MIB));
    let fakes = [
        Fake::of(&memory, Standing::Stranger { age: GRACE, bytes: MIB }, &[]),
        // A stranger that has only just come, a client that reads, and an idle one.
        Fake::of(&memory, Standing::Stranger { age: GRACE - 1, bytes: MIB / 2 }, &[]),
        Fake::of(&memory, waiting(STALLED - 1, MIB), &[&one]),
        Fake::of(&memory, Standing::Settled { bytes: 8 * MIB }, &[]),
        Fake::of(&memory, waiting(STALLED, MIB), &[&two]),
    ];
    drop((one, two));
    // 11.5 MiB.
    assert_eq!(relieve_with(&memory, |_| 0, &fakes), [false, true, true, true, false]);
    // If that is not enough, clients that read stay all the same, and newcomers are refused.
    let _more = crate::memory::Reservation::new(memory.clone(), Kind::Connections, MIB);
    assert!(memory.exceeds(SHED_TO) && !memory.admits_newcomers());
    assert_eq!(relieve_with(&memory, |_| 0, &fakes), [false, true, true, true, false]);
}

#[test]
fn strangers_have_a_share_and_the_oldest_make_room_in_it() {
    let memory = Arc::new(Memory::new(16 * MIB));
    let strangers: Vec<_> = (0..12)
        .map(|number| Fake::of(&memory, Standing::Stranger { age: GRACE - 6 + number, bytes: MIB / 4 }, &[]))
        .collect();
    // 3 MiB of 16: there is much memory left, and none of it for strangers.
    assert!(!memory.admits_guest(1) && memory.admits_newcomers());
    let there = relieve_with(&memory, |_| 0, &strangers);
    assert_eq!(there.iter().map(|there| u8::from(*there)).sum::<u8>(), 9, "three quarters of the share stay");
    assert!(there[..9].iter().all(|there| *there));
}

#[test]
fn a_client_that_reads_is_ended_only_if_nothing_may_grow_any_more() {
    let memory = Arc::new(Memory::new(16 * MIB));
    let frames = [6, 4, 3].map(|mib| memory.count(vec![0; mib * MIB].into()));
    let stalled = [0, STALLED_WHEN_FULL, 0];
    let fakes: Vec<_> = frames
        .iter()
        .zip(stalled)
        .map(|(frame, stalled)| Fake::of(&memory, waiting(stalled, frame.len()), &[frame]))
        .collect();
    drop(frames);
    // 13 MiB: publishers wait, and the client goes that has read nothing for a moment.
    assert!(memory.is_full());
    assert_eq!(relieve_with(&memory, |_| 0, &fakes), [true, false, true]);
    let _more = memory.count(vec![0; 3 * MIB + MIB / 2].into());
    assert!(memory.is_full() && !memory.is_at_limit());
    assert_eq!(relieve_with(&memory, |_| 0, &fakes), [true, false, true]);
    let _more = memory.count(vec![0; MIB].into());
    assert_eq!(relieve_with(&memory, |_| 0, &fakes), [false, false, true]);
}

#[test]
fn publishers_do_not_wait_for_clients_that_were_ended_already() {
    let memory = Arc::new(Memory::new(16 * MIB));
    let fakes = [MIB, 3 * MIB].map(|bytes| Fake::of(&memory, Standing::Leaving { bytes }, &[]));
    let mut others = crate::memory::Reservation::new(memory.clone(), Kind::Connections, 8 * MIB);
    assert_eq!(relieve_with(&memory, |_| 0, &fakes), [true, true], "12 MiB are held, and no more");
    others.set(9 * MIB);
    assert_eq!(relieve_with(&memory, |_| 0, &fakes), [true, false]);
}

#[test]
fn after_a_cut_of_the_budget_connections_go_until_the_rest_fits() {
    let memory = Arc::new(Memory::new(32 * MIB));
    let fakes =
        [MIB, 4 * MIB, 2 * MIB, 8 * MIB].map(|bytes| Fake::of(&memory, Standing::Settled { bytes }, &[]));
    assert_eq!(relieve_with(&memory, |_| 0, &fakes), [true; 4]);
    memory.set(16 * MIB);
    assert_eq!(relieve_with(&memory, |_| 0, &fakes), [true, true, true, false]);
}

#[test]
fn newcomers_are_refused_when_the_cache_has_nothing_left_to_give_and_let_in_again_when_there_is_room() {
    let memory = Arc::new(Memory::new(16 * MIB));
    assert!(memory.admits_newcomers() && memory.admits_guest(MIB));
    let cached = Mutex::new(vec![memory.count(vec![0; MIB].into())]);
    let evict = |_| cached.lock().unwrap().pop().map_or(0, |frame| frame.len());
    let mut held = crate::memory::Reservation::new(memory.clone(), Kind::Connections, 9 * MIB + MIB / 2);
    // BacklogPermit can be made, and is.
    assert!(memory.admits_newcomers());
    assert_eq!(relieve_with(&memory, evict, &[]), [] as [bool; 0]);
    assert!(memory.admits_newcomers() && cached.lock().unwrap().is_empty());
    held.set(10 * MIB + MIB / 2);
    assert!(memory.admits_newcomers(), "the cache was not asked yet");
    relieve_with(&memory, evict, &[]);
    assert!(!memory.admits_newcomers() && !memory.admits_guest(0));
    held.set(10 * MIB);
    assert!(memory.admits_newcomers());
    // A session that holds much is refused sooner.
    assert!(memory.admits_more(MUCH - 1) && !memory.admits_more(MUCH));
    held.set(8 * MIB);
    assert!(memory.admits_more(MUCH));
}

#[test]
fn for_refused_newcomers_clients_go_that_do_not_read_and_other_clients_stay() {
    let memory = Arc::new(Memory::new(16 * MIB));
    let frame = |len: usize| memory.count(vec![0; len].into());
    let frames = [frame(MIB), frame(MIB)];
    let fakes = [
        Fake::of(&memory, waiting(STALLED, MIB), &[&frames[0]]),
        Fake::of(&memory, waiting(STALLED - 1, MIB), &[&frames[1]]),
        Fake::of(&memory, Standing::Settled { bytes: 8 * MIB + MIB / 2 }, &[]),
    ];
    drop(frames);
    // 10.5 MiB: too little to end a connection for it.
    assert_eq!(relieve_with(&memory, |_| 0, &fakes), [true; 3]);
    assert!(!memory.admits_newcomers());
    assert_eq!(relieve_with(&memory, |_| 0, &fakes), [false, true, true]);
    assert!(memory.admits_newcomers());
    assert_eq!(relieve_with(&memory, |_| 0, &fakes), [false, true, true]);
}

#[tokio::test]
async fn publishers_wait_until_there_is_room_and_no_longer_than_a_moment() {
    let memory = Arc::new(Memory::new(16 * MIB));
    let shutdown = CancellationToken::new();
    let stuck = memory.count(vec![0; 13 * MIB].into());
    assert!(!memory.has_room().await);
    let fake = Fake::of(&memory, waiting(STALLED, stuck.len()), &[&stuck]);
    drop(stuck);
    let holders = move || vec![fake.clone() as Arc<dyn Holder>];
    let shedder = tokio::spawn(run(memory.clone(), |_| 0, holders, shutdown.clone()));
    assert!(memory.has_room().await);
    assert_eq!(memory.shed_connections(), 1);
    shutdown.cancel();
    shedder.await.unwrap();
}
