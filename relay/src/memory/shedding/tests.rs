use super::*;
use crate::memory::{Reservation, marks::LARGE_SESSION};
use bytes::Bytes;
use std::sync::Mutex;

const MIB: usize = 1 << 20;

/// A connection whose class the test chooses.
struct Fake {
    shed_class: Mutex<ShedClass>,
    queue: Mutex<Vec<Bytes>>,
    /// The bytes that a connection releases at its end, which never comes here.
    reservation: Mutex<Option<Reservation>>,
}

impl Fake {
    fn of(memory: &Arc<Memory>, shed_class: ShedClass, frames: &[&Bytes]) -> Arc<Self> {
        let reservation = match shed_class {
            ShedClass::Unauthenticated { bytes, .. } => {
                Some(Reservation::new(memory.clone(), MemoryKind::Unauthenticated, bytes))
            }
            ShedClass::Idle { bytes } => {
                Some(Reservation::new(memory.clone(), MemoryKind::Connections, bytes))
            }
            ShedClass::Closing { bytes } => {
                let mut held = Reservation::new(memory.clone(), MemoryKind::Connections, bytes);
                held.mark_closing();
                Some(held)
            }
            ShedClass::Backlogged { .. } | ShedClass::Exempt => None,
        };
        Arc::new(Self {
            shed_class: Mutex::new(shed_class),
            queue: Mutex::new(frames.iter().map(|frame| (*frame).clone()).collect()),
            reservation: Mutex::new(reservation),
        })
    }

    /// Returns whether the connection was not shed yet.
    fn is_open(&self) -> bool {
        *self.shed_class.lock().unwrap() != ShedClass::Exempt
    }
}

impl Holder for Fake {
    fn shed_class(&self) -> ShedClass {
        *self.shed_class.lock().unwrap()
    }

    fn shed(&self) {
        assert!(self.is_open(), "a connection is ended twice");
        self.queue.lock().unwrap().clear();
        if let Some(reservation) = &mut *self.reservation.lock().unwrap() {
            reservation.mark_closing();
        }
        *self.shed_class.lock().unwrap() = ShedClass::Exempt;
    }
}

fn backlogged(stalled: u32, bytes: usize) -> ShedClass {
    ShedClass::Backlogged { stalled, bytes }
}

fn shed_with(memory: &Memory, evict: impl Fn(usize) -> usize, fakes: &[Arc<Fake>]) -> Vec<bool> {
    let holders = || fakes.iter().map(|fake| fake.clone() as Arc<dyn Holder>).collect();
    shed_once(memory, &evict, &holders);
    fakes.iter().map(|fake| fake.is_open()).collect()
}

#[test]
fn the_cache_is_evicted_first_and_then_the_largest_clients_that_do_not_read() {
    let memory = Arc::new(Memory::new(16 * MIB));
    let frame = |len: usize| memory.count(vec![0; len].into());
    let cached = Mutex::new(vec![frame(3 * MIB), frame(3 * MIB)]);
    let (large, middle, small) = (frame(4 * MIB), frame(3 * MIB), frame(MIB));
    let fakes = [
        Fake::of(&memory, backlogged(STALLED, MIB), &[&small]),
        Fake::of(&memory, backlogged(STALLED, 4 * MIB), &[&large]),
        Fake::of(&memory, backlogged(STALLED, 4 * MIB - 1), &[&middle, &small]),
    ];
    drop((large, middle, small));
    // One publication stays, which is the floor.
    let evict = |bytes: usize| {
        let mut cached = cached.lock().unwrap();
        let mut evicted = 0;
        while evicted < bytes && cached.len() > 1 {
            evicted += cached.remove(0).len();
        }
        evicted
    };
    assert!(memory.is_full());
    assert_eq!(shed_with(&memory, evict, &fakes), [true, false, true]);
    assert_eq!(cached.lock().unwrap().len(), 1);
    assert!(!memory.exceeds(SHED_TO));
    assert_eq!((memory.evicted_bytes(), memory.shed_connections()), (3 * MIB as u64, 1));
    // The released memory is enough, so no other connection is ended.
    assert_eq!(shed_with(&memory, evict, &fakes), [true, false, true]);
}

#[test]
fn memory_that_is_released_late_is_subtracted_before_the_next_connection_is_ended() {
    let memory = Arc::new(Memory::new(16 * MIB));
    let unauthenticated: Vec<_> = (0..20)
        .map(|number| {
            Fake::of(
                &memory,
                ShedClass::Unauthenticated { age: MIN_UNAUTHENTICATED_AGE + number, bytes: MIB / 8 },
                &[],
            )
        })
        .collect();
    let _others = Reservation::new(memory.clone(), MemoryKind::Connections, 9 * MIB);
    // 11.5 MiB of the permitted 10 are held: the twelve oldest unauthenticated connections of an eighth each are ended.
    let there = shed_with(&memory, |_| 0, &unauthenticated);
    assert_eq!(there.iter().map(|there| u8::from(*there)).sum::<u8>(), 8);
    assert!(there[..8].iter().all(|there| *there));
    // They have released nothing so far, and still no other connection is ended.
    assert_eq!(memory.usage().unauthenticated, 20 * MIB / 8);
    assert_eq!(shed_with(&memory, |_| 0, &unauthenticated), there);
}

#[test]
fn unauthenticated_connections_are_ended_before_clients_that_do_not_read_and_others_stay() {
    let memory = Arc::new(Memory::new(16 * MIB));
    let frame = |len: usize| memory.count(vec![0; len].into());
    let (one, two) = (frame(MIB), frame(MIB));
    let fakes = [
        Fake::of(&memory, ShedClass::Unauthenticated { age: MIN_UNAUTHENTICATED_AGE, bytes: MIB }, &[]),
        // These are a new unauthenticated connection, a client that reads, and an idle one.
        Fake::of(
            &memory,
            ShedClass::Unauthenticated { age: MIN_UNAUTHENTICATED_AGE - 1, bytes: MIB / 2 },
            &[],
        ),
        Fake::of(&memory, backlogged(STALLED - 1, MIB), &[&one]),
        Fake::of(&memory, ShedClass::Idle { bytes: 8 * MIB }, &[]),
        Fake::of(&memory, backlogged(STALLED, MIB), &[&two]),
    ];
    drop((one, two));
    // 11.5 MiB are held.
    assert_eq!(shed_with(&memory, |_| 0, &fakes), [false, true, true, true, false]);
    // If that is not enough, clients that read stay nevertheless, and newcomers are refused.
    let _more = Reservation::new(memory.clone(), MemoryKind::Connections, MIB);
    assert!(memory.exceeds(SHED_TO) && !memory.admits_newcomers());
    assert_eq!(shed_with(&memory, |_| 0, &fakes), [false, true, true, true, false]);
}

#[test]
fn unauthenticated_connections_have_a_share_and_the_oldest_make_room_in_it() {
    let memory = Arc::new(Memory::new(16 * MIB));
    let unauthenticated: Vec<_> = (0..12)
        .map(|number| {
            Fake::of(
                &memory,
                ShedClass::Unauthenticated { age: MIN_UNAUTHENTICATED_AGE - 6 + number, bytes: MIB / 4 },
                &[],
            )
        })
        .collect();
    // 3 MiB of 16 are held: there is memory left, but not for unauthenticated connections.
    assert!(!memory.admits_unauthenticated(1) && memory.admits_newcomers());
    let there = shed_with(&memory, |_| 0, &unauthenticated);
    assert_eq!(there.iter().map(|there| u8::from(*there)).sum::<u8>(), 9, "three quarters of the share stay");
    assert!(there[..9].iter().all(|there| *there));
}

#[test]
fn a_client_that_reads_is_ended_only_at_the_limit() {
    let memory = Arc::new(Memory::new(16 * MIB));
    let frames = [6, 4, 3].map(|mib| memory.count(vec![0; mib * MIB].into()));
    let stalled = [0, STALLED_WHEN_FULL, 0];
    let fakes: Vec<_> = frames
        .iter()
        .zip(stalled)
        .map(|(frame, stalled)| Fake::of(&memory, backlogged(stalled, frame.len()), &[frame]))
        .collect();
    drop(frames);
    // 13 MiB are held: publishers wait, and the client that has stalled briefly is ended.
    assert!(memory.is_full());
    assert_eq!(shed_with(&memory, |_| 0, &fakes), [true, false, true]);
    let _more = memory.count(vec![0; 3 * MIB + MIB / 2].into());
    assert!(memory.is_full() && !memory.is_at_limit());
    assert_eq!(shed_with(&memory, |_| 0, &fakes), [true, false, true]);
    let _more = memory.count(vec![0; MIB].into());
    assert_eq!(shed_with(&memory, |_| 0, &fakes), [false, false, true]);
}

#[test]
fn publishers_do_not_wait_for_clients_that_were_already_ended() {
    let memory = Arc::new(Memory::new(16 * MIB));
    let fakes = [MIB, 3 * MIB].map(|bytes| Fake::of(&memory, ShedClass::Closing { bytes }, &[]));
    let mut others = Reservation::new(memory.clone(), MemoryKind::Connections, 8 * MIB);
    assert_eq!(shed_with(&memory, |_| 0, &fakes), [true, true], "only 12 MiB are held");
    others.set(9 * MIB);
    assert_eq!(shed_with(&memory, |_| 0, &fakes), [true, false]);
}

#[test]
fn after_a_reduction_of_the_budget_connections_are_ended_until_the_rest_fits() {
    let memory = Arc::new(Memory::new(32 * MIB));
    let fakes =
        [MIB, 4 * MIB, 2 * MIB, 8 * MIB].map(|bytes| Fake::of(&memory, ShedClass::Idle { bytes }, &[]));
    assert_eq!(shed_with(&memory, |_| 0, &fakes), [true; 4]);
    memory.set(16 * MIB);
    assert_eq!(shed_with(&memory, |_| 0, &fakes), [true, true, true, false]);
}

#[test]
fn newcomers_are_refused_while_the_cache_cannot_make_room() {
    let memory = Arc::new(Memory::new(16 * MIB));
    assert!(memory.admits_newcomers() && memory.admits_unauthenticated(MIB));
    let cached = Mutex::new(vec![memory.count(vec![0; MIB].into())]);
    let evict = |_| cached.lock().unwrap().pop().map_or(0, |frame| frame.len());
    let mut held = Reservation::new(memory.clone(), MemoryKind::Connections, 9 * MIB + MIB / 2);
    // The cache can make room, and does.
    assert!(memory.admits_newcomers());
    assert_eq!(shed_with(&memory, evict, &[]), [] as [bool; 0]);
    assert!(memory.admits_newcomers() && cached.lock().unwrap().is_empty());
    held.set(10 * MIB + MIB / 2);
    assert!(memory.admits_newcomers(), "the cache was not evicted yet");
    shed_with(&memory, evict, &[]);
    assert!(!memory.admits_newcomers() && !memory.admits_unauthenticated(0));
    held.set(10 * MIB);
    assert!(memory.admits_newcomers());
    // A large session is refused earlier.
    assert!(memory.admits_more(LARGE_SESSION - 1) && !memory.admits_more(LARGE_SESSION));
    held.set(8 * MIB);
    assert!(memory.admits_more(LARGE_SESSION));
}

#[test]
fn refused_newcomers_displace_only_clients_that_do_not_read() {
    let memory = Arc::new(Memory::new(16 * MIB));
    let frame = |len: usize| memory.count(vec![0; len].into());
    let frames = [frame(MIB), frame(MIB)];
    let fakes = [
        Fake::of(&memory, backlogged(STALLED, MIB), &[&frames[0]]),
        Fake::of(&memory, backlogged(STALLED - 1, MIB), &[&frames[1]]),
        Fake::of(&memory, ShedClass::Idle { bytes: 8 * MIB + MIB / 2 }, &[]),
    ];
    drop(frames);
    // 10.5 MiB are held, which is too little to end a connection.
    assert_eq!(shed_with(&memory, |_| 0, &fakes), [true; 3]);
    assert!(!memory.admits_newcomers());
    assert_eq!(shed_with(&memory, |_| 0, &fakes), [false, true, true]);
    assert!(memory.admits_newcomers());
    assert_eq!(shed_with(&memory, |_| 0, &fakes), [false, true, true]);
}

#[tokio::test]
async fn publishers_wait_for_room_for_a_limited_time() {
    let memory = Arc::new(Memory::new(16 * MIB));
    let shutdown = CancellationToken::new();
    let stuck = memory.count(vec![0; 13 * MIB].into());
    assert!(!memory.wait_for_room().await);
    let fake = Fake::of(&memory, backlogged(STALLED, stuck.len()), &[&stuck]);
    drop(stuck);
    let holders = move || vec![fake.clone() as Arc<dyn Holder>];
    let shedder = tokio::spawn(run(memory.clone(), |_| 0, holders, shutdown.clone()));
    assert!(memory.wait_for_room().await);
    assert_eq!(memory.shed_connections(), 1);
    shutdown.cancel();
    shedder.await.unwrap();
}
