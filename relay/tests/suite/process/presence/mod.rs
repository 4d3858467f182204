//! Presence: members of channels, and the sessions that watch them.

mod crowd;
mod ends;
mod keys;
mod refusals;
mod relays;

use crate::support::{Client, RelayProcess, Scrape, member};
use sealwire_protocol::wire::{End, ToRelay};
use std::time::{Duration, Instant};

#[tokio::test]
async fn watchers_get_the_members_and_then_every_change() {
    let relay = RelayProcess::start(&["--admin-listen", "127.0.0.1:0"]);
    let mut alice = Client::open(&relay, "alice").await;
    let channel = alice.enter("absences", 1, 1).await;
    let mut watcher = Client::open(&relay, "carol").await;
    let (watched, state) = watcher.watch("absences").await;
    assert_eq!(watched, channel);
    assert_eq!(state.entries.len(), 1);
    assert_eq!((&state.entries[0].member, state.entries[0].number), (&member(1), 1));
    assert_eq!((&*state.entries[0].sealed, state.entries[0].in_grace), (&[1; 60][..], false));

    let mut bob = Client::open(&relay, "bob").await;
    bob.enter("absences", 2, 1).await;
    watcher.must_see(&[(2, 1)], &[]).await;
    alice.enter("absences", 1, 2).await;
    watcher.must_see(&[(1, 2)], &[]).await;
    let left = bob.try_leave(channel, 2).await;
    assert_eq!(crate::support::accepted(left), channel);
    watcher.must_see(&[], &[2]).await;
    // A member that is not there is no error.
    crate::support::accepted(bob.try_leave(channel, 2).await);

    // A member of another channel concerns nobody here, and a watcher that ended hears nothing more.
    bob.enter("rotation", 2, 1).await;
    watcher.unwatch(channel).await;
    alice.enter("absences", 1, 3).await;
    assert!(watcher.is_quiet().await);
    let scrape = Scrape::of(&relay).await;
    for (name, value) in
        [("members", 2.0), ("members_in_grace", 0.0), ("watchers", 0.0), ("changes_total", 3.0)]
    {
        assert_eq!(scrape.value(&format!("sealwire_presence_{name}")), value, "{name}");
    }
    assert!(scrape.value("sealwire_memory_bytes{kind=\"presence\"}") > 120.0);
}

#[tokio::test]
async fn a_member_that_resumes_within_the_grace_time_never_flickers() {
    let relay = RelayProcess::start(&["--admin-listen", "127.0.0.1:0"]);
    let mut watcher = Client::open(&relay, "carol").await;
    let (channel, _) = watcher.watch("absences").await;
    let mut first = Client::open(&relay, "alice").await;
    first.enter("absences", 1, 7).await;
    watcher.must_see(&[(1, 7)], &[]).await;
    // A broken connection, a closed session, and a page that comes back before the relay knows that it was gone.
    drop(first);
    Scrape::until(&relay, "sealwire_presence_members_in_grace", 1.0).await;
    let mut late = Client::open(&relay, "dave").await;
    let (_, state) = late.watch("absences").await;
    assert!(state.entries[0].in_grace);
    let mut second = Client::open(&relay, "alice").await;
    second.enter("absences", 1, 7).await;
    let mut third = Client::open(&relay, "alice").await;
    third.enter("absences", 1, 7).await;
    second.send(ToRelay::End(End {})).await;
    let _ = second.farewell().await;
    let scrape = Scrape::of(&relay).await;
    assert_eq!(scrape.value("sealwire_presence_members_in_grace"), 0.0);
    // The next change is the only one.
    third.enter("absences", 1, 8).await;
    watcher.must_see(&[(1, 8)], &[]).await;
    third.try_leave(channel, 1).await;
    watcher.must_see(&[], &[1]).await;
}

#[tokio::test]
async fn a_member_whose_connection_broke_leaves_after_the_grace_time() {
    let relay = RelayProcess::start(&["--presence-grace", "700ms"]);
    let mut watcher = Client::open(&relay, "carol").await;
    watcher.watch("absences").await;
    let mut alice = Client::open(&relay, "alice").await;
    alice.enter("absences", 1, 1).await;
    watcher.must_see(&[(1, 1)], &[]).await;
    let broken = Instant::now();
    drop(alice);
    watcher.must_see(&[], &[1]).await;
    assert!(broken.elapsed() >= Duration::from_millis(700), "{:?}", broken.elapsed());
}

#[tokio::test]
async fn presence_is_neither_replayed_nor_counted_as_a_publication() {
    let relay = RelayProcess::start(&["--admin-listen", "127.0.0.1:0", "--log", "debug"]);
    let mut alice = Client::open(&relay, "alice").await;
    let mut subscriber = Client::open(&relay, "carol").await;
    subscriber.subscribe("absences").await;
    alice.enter("absences", 1, 1).await;
    let replayed =
        alice.subscribe_since("absences", Some(sealwire_protocol::wire::Since::ReplaySeconds(60))).await;
    assert_eq!(replayed.replay_end, 0);
    assert!(subscriber.is_quiet().await);
    let scrape = Scrape::of(&relay).await;
    assert_eq!(scrape.value("sealwire_publications_total"), 0.0);
    assert_eq!(scrape.value("sealwire_replay_bytes"), 0.0);
    assert!(!relay.log().contains("0303030303030303"), "{}", relay.log());
}
