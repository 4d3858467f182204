//! Many members: on one channel within a second, and on many channels.

use crate::support::{CROWD, CROWD_TURN, Client, Members, RelayProcess, channel, member, presence_enter};
use futures_util::future::join_all;
use sealwire_protocol::wire::ToClient;
use std::time::{Duration, Instant};

const MEMBERS: usize = 1000;
const WATCHERS: usize = 10;
const MAX_MESSAGES: usize = 20;

/// Lets all members enter "absences" within a second. Fails unless every watcher sees them in few messages.
#[allow(clippy::print_stdout, reason = "a reader of the test wants the figures")]
pub(super) async fn must_see_all_enter(relays: &str, watchers: &mut [Client], members: &mut [Client]) {
    let count = members.len();
    let started = Instant::now();
    // Ten every nine milliseconds, so that all of them enter within a second and in every batch.
    let mut pace = tokio::time::interval(Duration::from_millis(9));
    for (number, client) in members.iter_mut().enumerate() {
        if number % 10 == 0 {
            pace.tick().await;
        }
        client.send(presence_enter(1, channel("absences"), number as u64, 1, 300)).await;
    }
    let took = started.elapsed();
    let counts = join_all(watchers.iter_mut().map(|watcher| async {
        let (mut known, mut messages) = (Members::default(), 0);
        while known.numbers.len() < count {
            known.apply(&watcher.presence().await);
            messages += 1;
        }
        messages
    }))
    .await;
    // A machine that is busy with other things needs longer, and then has more batches.
    let allowed = MAX_MESSAGES.max(usize::try_from(took.as_millis() / 100).unwrap() + 10);
    assert!(counts.iter().all(|count| *count <= allowed), "{counts:?} after {took:?}");
    println!("{relays}: messages of each watcher {counts:?}, {took:?} for {count} members to enter");
}

/// Fails unless the five members of each of 200 channels see each other and nobody else. So many channels are used at once, and
/// `relay_of` returns the relay of the member with the given number.
pub(super) async fn must_see_exactly_their_own<'a>(
    at_once: usize,
    relay_of: impl Fn(u64) -> &'a RelayProcess + Copy,
) {
    let of_channel = |number: u64| async move {
        let name = format!("channel {number}");
        let mut clients = Vec::new();
        for seat in 0..5 {
            let mut client = Client::open(relay_of(number + seat), &format!("account {seat}")).await;
            client.enter(&name, number * 5 + seat, 1).await;
            let mut known = Members::default();
            let (_, state) = client.watch(&name).await;
            known.apply(&state);
            clients.push((client, known));
        }
        for (client, known) in &mut clients {
            while known.numbers.len() < 5 {
                known.apply(&client.presence().await);
            }
            let expected = (0..5).map(|seat| (member(number * 5 + seat), 1));
            assert!(known.numbers.clone().into_iter().eq(expected));
        }
    };
    let channels: Vec<u64> = (0..200).collect();
    for some in channels.chunks(at_once) {
        join_all(some.iter().copied().map(of_channel)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_members_that_enter_within_a_second_cost_each_watcher_at_most_20_messages() {
    let _turn = CROWD_TURN.lock().await;
    let relay = RelayProcess::start(&CROWD);
    let mut watchers = Vec::new();
    for _ in 0..WATCHERS {
        let mut watcher = Client::open(&relay, "carol").await;
        watcher.watch("absences").await;
        watchers.push(watcher);
    }
    let mut members = Vec::new();
    for number in 0..MEMBERS {
        members.push(Client::open(&relay, &format!("account {number}")).await);
    }
    must_see_all_enter("one relay", &mut watchers, &mut members).await;
    for client in &mut members {
        assert!(matches!(client.next().await, ToClient::PresenceAccepted(_)));
    }
    // One that comes later gets all of them.
    let mut late = Client::open(&relay, "dave").await;
    late.try_watch(channel("absences")).await;
    let mut known = Members::default();
    while known.numbers.len() < MEMBERS {
        known.apply(&late.presence().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_channels_of_five_members_who_all_watch_see_exactly_their_own() {
    let _turn = CROWD_TURN.lock().await;
    let relay = RelayProcess::start(&CROWD);
    must_see_exactly_their_own(20, |_| &relay).await;
}
