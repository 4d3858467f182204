//! Presence across the relays of a cluster.

use super::crowd::{must_see_all_enter, must_see_exactly_their_own};
use crate::process::{cluster::ready_relay_on, revocation::disconnect};
use crate::support::{
    App, CROWD, CROWD_TURN, Client, NatsServer, RelayProcess, Scrape, accepted, channel, member, must_refuse,
};
use futures_util::StreamExt as _;
use sealwire_protocol::{Code, wire::ToClient};
use serde_json::json;
use std::time::{Duration, Instant};

/// The time after which a relay without messages counts as gone.
const SILENCE: Duration = Duration::from_secs(4);

async fn two_relays(nats: &NatsServer, flags: &[&str]) -> [RelayProcess; 2] {
    [ready_relay_on(nats, flags).await, ready_relay_on(nats, flags).await]
}

#[tokio::test]
async fn members_at_two_relays_see_each_other() {
    let nats = NatsServer::start().await;
    let [first, second] = two_relays(&nats, &["--admin-listen", "127.0.0.1:0"]).await;
    let mut alice = Client::open(&first, "alice").await;
    let id = alice.enter("absences", 1, 1).await;
    // The state of a watcher at the other relay is complete from the start.
    let mut watcher = Client::open(&second, "carol").await;
    let (_, state) = watcher.watch("absences").await;
    assert_eq!((state.entries.len(), &state.entries[0].member), (1, &member(1)));
    let mut bob = Client::open(&second, "bob").await;
    bob.enter("absences", 2, 1).await;
    watcher.must_see(&[(2, 1)], &[]).await;
    let mut late = Client::open(&first, "dave").await;
    let (_, state) = late.watch("absences").await;
    assert_eq!(state.entries.len(), 2);
    alice.enter("absences", 1, 2).await;
    for watcher in [&mut watcher, &mut late] {
        watcher.must_see(&[(1, 2)], &[]).await;
    }
    // A member of one relay is another account's at the other, too.
    let mut mallory = Client::open(&second, "mallory").await;
    mallory.refused_enter(channel("absences"), 1, 9, 60, Code::MemberConflict).await;
    accepted(alice.try_leave(id, 1).await);
    for watcher in [&mut watcher, &mut late] {
        watcher.must_see(&[], &[1]).await;
    }
    let scrape = Scrape::of(&first).await;
    assert_eq!(scrape.value("sealwire_presence_members"), 0.0);
    assert_eq!(scrape.value("sealwire_presence_remote_members"), 1.0);
}

#[tokio::test]
async fn a_member_that_returns_at_another_relay_never_flickers() {
    let nats = NatsServer::start().await;
    let [first, second] =
        two_relays(&nats, &["--presence-grace", "2m", "--admin-listen", "127.0.0.1:0"]).await;
    let mut watchers = [Client::open(&first, "carol").await, Client::open(&second, "carol").await];
    for watcher in &mut watchers {
        watcher.watch("absences").await;
    }
    let mut before = Client::open(&first, "alice").await;
    let id = before.enter("absences", 1, 1).await;
    for watcher in &mut watchers {
        watcher.must_see(&[(1, 1)], &[]).await;
    }
    // The page is at the other relay before the first one knows that it was gone.
    let mut after = Client::open(&second, "alice").await;
    after.enter("absences", 1, 1).await;
    Scrape::until(&first, "sealwire_presence_remote_members", 1.0).await;
    before.refused_enter(channel("absences"), 1, 2, 60, Code::MemberConflict).await;
    must_refuse(before.try_leave(id, 1).await, Code::MemberConflict);
    drop(before);
    // It comes back, in its grace time.
    drop(after);
    Scrape::until(&second, "sealwire_presence_members_in_grace", 1.0).await;
    let mut again = Client::open(&first, "alice").await;
    again.enter("absences", 1, 1).await;
    Scrape::until(&second, "sealwire_presence_members_in_grace", 0.0).await;
    // The next change is the only one.
    again.enter("absences", 1, 2).await;
    for watcher in &mut watchers {
        watcher.must_see(&[(1, 2)], &[]).await;
    }
    // The account ends its member from a session that never had it.
    let mut other = Client::open(&second, "alice").await;
    accepted(other.try_leave(id, 1).await);
    for watcher in &mut watchers {
        watcher.must_see(&[], &[1]).await;
    }
    again.refused_enter(channel("other"), 1, 1, 44, Code::MessageSize).await;
}

#[tokio::test]
async fn the_members_of_a_relay_that_died_leave_after_the_grace_time_unless_they_return() {
    let nats = NatsServer::start().await;
    let grace = Duration::from_secs(3);
    let [first, second] = two_relays(&nats, &["--presence-grace", "3s"]).await;
    let mut watcher = Client::open(&second, "carol").await;
    watcher.watch("absences").await;
    let (mut alice, mut bob) = (Client::open(&first, "alice").await, Client::open(&first, "bob").await);
    alice.enter("absences", 1, 1).await;
    watcher.must_see(&[(1, 1)], &[]).await;
    bob.enter("absences", 2, 1).await;
    watcher.must_see(&[(2, 1)], &[]).await;
    let died = Instant::now();
    drop(first);
    let mut again = Client::open(&second, "alice").await;
    again.enter("absences", 1, 1).await;
    watcher.must_see(&[], &[2]).await;
    let after = died.elapsed();
    assert!(after >= grace && after <= grace + SILENCE + Duration::from_secs(3), "{after:?}");
    again.enter("absences", 1, 2).await;
    watcher.must_see(&[(1, 2)], &[]).await;
    drop(bob);
}

#[tokio::test]
async fn a_relay_that_loses_its_broker_ends_presence_and_has_it_again_later() {
    let mut nats = NatsServer::start().await;
    let [first, second] = two_relays(&nats, &["--presence-grace", "2m"]).await;
    let mut alice = Client::open(&first, "alice").await;
    let id = alice.enter("absences", 1, 1).await;
    let mut watcher = Client::open(&second, "carol").await;
    let (_, state) = watcher.watch("absences").await;
    assert_eq!(state.entries.len(), 1);
    watcher.enter("absences", 2, 1).await;
    watcher.must_see(&[(2, 1)], &[]).await;
    nats.stop();
    watcher.must_lose_presence(id, Code::BrokerUnavailable).await;
    watcher.refused_enter(channel("absences"), 2, 1, 60, Code::BrokerUnavailable).await;
    nats.restart().await;
    // A client asks again until the relay has presence.
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match watcher.try_enter(channel("absences"), 2, 1, 60).await {
            ToClient::PresenceAccepted(_) => break,
            answer => must_refuse(answer, Code::BrokerUnavailable),
        }
        assert!(Instant::now() < deadline, "{}", second.log());
    }
    let (_, state) = watcher.watch("absences").await;
    let mut seen: Vec<_> = state.entries.iter().map(|entry| entry.member.clone()).collect();
    seen.sort();
    assert_eq!(seen, [member(1), member(2)]);
}

#[tokio::test]
async fn a_limit_counts_the_members_at_all_relays() {
    let nats = NatsServer::start().await;
    let flags = ["--max-presence-members", "3", "--max-presence-members-per-account", "2"];
    let [first, second] = two_relays(&nats, &flags).await;
    let mut pages = Vec::new();
    for (relay, account, id) in [(&first, "alice", 1), (&second, "alice", 2), (&first, "bob", 3)] {
        let mut page = Client::open(relay, account).await;
        page.enter("absences", id, 1).await;
        page.watch("absences").await;
        pages.push(page);
    }
    pages[1].must_see(&[(3, 1)], &[]).await;
    let mut third = Client::open(&second, "alice").await;
    third.refused_enter(channel("absences"), 4, 1, 60, Code::TooManyMembers).await;
    let mut carol = Client::open(&second, "carol").await;
    carol.refused_enter(channel("absences"), 5, 1, 60, Code::TooManyMembers).await;
}

#[tokio::test]
async fn relays_without_the_channel_get_no_entries_and_strangers_change_nothing() {
    let nats = NatsServer::start().await;
    let stranger = async_nats::connect(nats.address.to_string()).await.unwrap();
    let mut seen = stranger.subscribe("sealwire.presence.*").await.unwrap();
    let flags = ["--admin-listen", "127.0.0.1:0"];
    let [first, second] = two_relays(&nats, &flags).await;
    let third = ready_relay_on(&nats, &flags).await;
    // The third relay has presence of the same app, on another channel.
    let mut elsewhere = Client::open(&third, "dave").await;
    elsewhere.enter("rotation", 9, 1).await;
    let mut watcher = Client::open(&second, "carol").await;
    watcher.watch("absences").await;
    let mut alice = Client::open(&first, "alice").await;
    alice.enter("absences", 1, 1).await;
    watcher.must_see(&[(1, 1)], &[]).await;
    let mut receivers = std::collections::BTreeMap::<String, bool>::new();
    let mut recorded = Vec::new();
    while receivers.len() < 3 || !receivers.values().any(|has_entry| *has_entry) {
        let message = tokio::time::timeout(Duration::from_secs(20), seen.next()).await.unwrap().unwrap();
        let text = String::from_utf8_lossy(&message.payload).into_owned();
        for name in [crate::support::APP, crate::support::INSTALLATION, "alice", "carol", "absences"] {
            assert!(!text.contains(name), "{text}");
        }
        let has_entry = message.payload.windows(60).any(|bytes| bytes == [1; 60]);
        *receivers.entry(message.subject.to_string()).or_default() |= has_entry;
        recorded.push(message);
    }
    assert_eq!(receivers.values().filter(|has_entry| **has_entry).count(), 1, "{receivers:?}");
    // Messages of strangers, and recorded ones, change nothing.
    for subject in receivers.keys() {
        for garbage in [&b""[..], b"\x08\x01", &[0xff; 64], &[7; 300_000]] {
            stranger.publish(subject.clone(), garbage.to_vec().into()).await.unwrap();
        }
    }
    for message in recorded {
        stranger.publish(message.subject, message.payload).await.unwrap();
    }
    stranger.flush().await.unwrap();
    Scrape::until_at_least(&second, "sealwire_presence_relay_messages_refused_total", 4.0).await;
    alice.enter("absences", 1, 2).await;
    watcher.must_see(&[(1, 2)], &[]).await;
    assert!(watcher.is_quiet().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_members_across_two_relays_cost_each_watcher_at_most_20_messages() {
    const MEMBERS: usize = 1000;
    let _turn = CROWD_TURN.lock().await;
    let nats = NatsServer::start().await;
    let relays = two_relays(&nats, &CROWD).await;
    let mut watchers = Vec::new();
    for number in 0..10 {
        let mut watcher = Client::open(&relays[number % 2], "carol").await;
        watcher.watch("absences").await;
        watchers.push(watcher);
    }
    let mut members = Vec::new();
    for number in 0..MEMBERS {
        members.push(Client::open(&relays[number % 2], &format!("account {number}")).await);
    }
    must_see_all_enter("two relays", &mut watchers, &mut members).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_channels_of_five_members_at_two_relays_see_exactly_their_own() {
    let _turn = CROWD_TURN.lock().await;
    let nats = NatsServer::start().await;
    let relays = two_relays(&nats, &CROWD).await;
    must_see_exactly_their_own(40, |number| &relays[number as usize % 2]).await;
}

#[tokio::test]
async fn a_revocation_at_one_relay_ends_the_members_and_graces_at_all() {
    let nats = NatsServer::start().await;
    let flags = ["--presence-grace", "2m", "--admin-listen", "127.0.0.1:0"];
    let [first, second] = two_relays(&nats, &flags).await;
    let mut watcher = Client::open(&first, "carol").await;
    watcher.watch("absences").await;
    let mut broken = Client::open(&second, "mallory").await;
    broken.enter("absences", 1, 1).await;
    watcher.must_see(&[(1, 1)], &[]).await;
    drop(broken);
    // A state shows the grace time of a member at another relay, too.
    let mut late = Client::open(&first, "dave").await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while !late.watch("absences").await.1.entries[0].in_grace {
        assert!(Instant::now() < deadline, "the member is not in its grace time");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let answer = disconnect(&first, &App::one().backend(), &json!({ "account": "mallory" })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    watcher.must_see(&[], &[1]).await;
}
