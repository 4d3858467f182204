mod support;

use super::*;
use sealwire_protocol::UnixSeconds;
use support::*;

#[tokio::test]
async fn a_revocation_reaches_the_other_relays_and_those_that_start_later() {
    let log = SimulatedLog::default();
    let (first, mut second) = (Relay::new(&log).ready().await, Relay::new(&log).ready().await);
    first.revoke(&account("alice"), NOW).await.unwrap();
    assert_eq!((second.follow().await, second.before(&account("alice"))), (Ok(1), NOW));
    assert_eq!(second.follow().await, Ok(0));
    // Hearing it at once is the same revocation.
    let payload = log.stream().messages.values().next().unwrap().1.clone();
    assert_eq!(second.replica.hear(&payload, second.now()), None);
    drop((first, second));
    let third = Relay::new(&log).ready().await;
    assert_eq!(third.before(&account("alice")), NOW);
    assert!(third.replica.hear(b"no revocation", third.now()).is_none());
}

#[tokio::test]
async fn a_relay_is_not_complete_before_it_has_read_everything() {
    let log = SimulatedLog::default();
    let first = Relay::new(&log).ready().await;
    for number in 0..30 {
        first.revoke(&account(&number.to_string()), NOW).await.unwrap();
    }
    // The broker fails at any operation of the first read.
    for operations in 0..30 {
        let mut late = Relay::new(&log);
        log.stream().fails_after = Some(operations);
        assert!(late.follow().await.is_err(), "{operations}");
        assert!(!late.replica.revocations.is_read() && late.replica.revocations.check_read().is_err());
        (log.stream().fails_after, log.stream().is_down) = (None, false);
        late.follow().await.unwrap();
        assert_eq!(late.replica.revocations.len(), 30, "{operations}");
    }
}

#[tokio::test]
async fn a_relay_that_lost_its_broker_keeps_its_revocations_and_is_behind() {
    let log = SimulatedLog::default();
    let mut relay = Relay::new(&log).ready().await;
    relay.revoke(&account("alice"), NOW).await.unwrap();
    log.stream().is_down = true;
    assert!(relay.follow().await.is_err());
    let revocations = &relay.replica.revocations;
    assert!(!revocations.is_complete() && revocations.check_read().is_ok());
    assert_eq!(relay.before(&account("alice")), NOW);
    log.stream().is_down = false;
    relay.follow().await.unwrap();
    assert!(relay.replica.revocations.is_complete());
}

#[tokio::test]
async fn a_revocation_that_could_not_be_written_is_written_later() {
    let log = SimulatedLog::default();
    let (mut first, mut second) = (Relay::new(&log).ready().await, Relay::new(&log).ready().await);
    log.stream().is_down = true;
    assert!(first.revoke(&account("alice"), NOW).await.is_err());
    assert_eq!(first.before(&account("alice")), NOW);
    log.stream().is_down = false;
    first.follow().await.unwrap();
    assert_eq!(second.follow().await, Ok(1));
    assert!(first.replica.pending.lock().unwrap().is_empty());
}

#[tokio::test]
async fn relays_write_their_copies_again_after_the_log_lost_its_contents() {
    let log = SimulatedLog::default();
    let (mut first, mut second) = (Relay::new(&log).ready().await, Relay::new(&log).ready().await);
    for id in ["alice", "bob", "carol"] {
        first.revoke(&account(id), NOW).await.unwrap();
    }
    second.follow().await.unwrap();
    let names = log.names();
    for _ in 0..2 {
        log.lose_contents();
        // A relay that starts meanwhile waits until the others have written theirs.
        let mut third = Relay::new(&log);
        third.follow().await.unwrap();
        assert!(!third.replica.revocations.is_read());
        second.follow().await.unwrap();
        first.follow().await.unwrap();
        assert_eq!(log.names(), names);
        let third = third.ready().await;
        assert_eq!(third.replica.revocations.len(), 3);
    }
    // The repeats were not written again: one message for each.
    assert_eq!(log.stream().messages.len(), 3);
}

#[tokio::test]
async fn new_contents_are_noticed_even_if_their_sequences_are_as_high_as_before() {
    let log = SimulatedLog::default();
    let mut relay = Relay::new(&log).ready().await;
    relay.revoke(&account("alice"), NOW).await.unwrap();
    relay.follow().await.unwrap();
    let last = log.stream().last;
    log.lose_contents();
    let other = Relay::new(&log).ready().await;
    for number in 0..last {
        other.revoke(&account(&number.to_string()), NOW).await.unwrap();
    }
    relay.follow().await.unwrap();
    assert_eq!(relay.replica.revocations.len() as u64, last + 1);
    assert!(log.names().len() as u64 == last + 1);
}

#[tokio::test]
async fn the_later_of_two_concurrent_revocations_stays_in_the_log() {
    let log = SimulatedLog::default();
    let first = Relay::new(&log).ready().await;
    for (overtaking, own) in [(NOW + 9, NOW), (NOW, NOW + 9)] {
        let other = SharedRevocation::new("app", "site", &account("alice"), UnixSeconds(overtaking));
        log.stream().overtaking = Some(Entry::encode(&other, &first.replica.keys));
        first.revoke(&account("alice"), own).await.unwrap();
        let late = Relay::new(&log).ready().await;
        assert_eq!(late.before(&account("alice")), NOW + 9);
        log.lose_contents();
    }
}

#[tokio::test]
async fn a_stranger_who_writes_to_the_log_revokes_nothing_and_withdraws_nothing() {
    let log = SimulatedLog::default();
    let mut relay = Relay::new(&log).ready().await;
    relay.revoke(&account("alice"), NOW).await.unwrap();
    let name = log.names().remove(0);
    let revocation = |before| SharedRevocation::new("app", "site", &account("alice"), UnixSeconds(before));
    let old = Entry::encode(&revocation(NOW - 100), &relay.replica.keys);
    let mallory = Arc::new(SigningKeys::new(keys(&["mallory"])));
    for forged in [b"garbage".to_vec(), Entry::encode(&revocation(NOW + 100), &mallory), old] {
        log.stream().put(&name, forged);
        // A relay that starts at this moment waits for the repair, if it can see that one is needed.
        let mut late = Relay::new(&log);
        late.follow().await.unwrap();
        relay.millis += 5000;
        relay.follow().await.unwrap();
        assert_eq!(relay.before(&account("alice")), NOW);
        let is_read = late.replica.is_read();
        assert_eq!(is_read, late.before(&account("alice")) > 0);
        assert_eq!(late.ready().await.before(&account("alice")), NOW);
    }
    // A message under the name of another selection is not taken for that one.
    let genuine = Entry::encode(&revocation(NOW + 50), &relay.replica.keys);
    log.stream().put("somebody.else", genuine);
    relay.follow().await.unwrap();
    assert_eq!(relay.before(&account("alice")), NOW);
}

#[tokio::test]
async fn a_forged_end_of_the_log_hides_no_later_revocation() {
    let log = SimulatedLog::default();
    let (mut relay, other) = (Relay::new(&log).ready().await, Relay::new(&log).ready().await);
    for (before, forged) in [1, 1_000_000, u64::MAX].into_iter().enumerate() {
        let last = log.stream().last;
        log.stream().last = last.saturating_add(forged);
        relay.follow().await.unwrap();
        log.stream().last = last;
        let before = NOW + before as u64;
        other.revoke(&account("alice"), before).await.unwrap();
        relay.follow().await.unwrap();
        assert_eq!(relay.before(&account("alice")), before);
    }
}

#[tokio::test]
async fn revocations_outlive_the_key_that_signed_them() {
    let log = SimulatedLog::default();
    let mut relay = Relay::new(&log).ready().await;
    relay.revoke(&account("alice"), NOW).await.unwrap();
    relay.replica.keys.replace(keys(&["kid", "new"]));
    relay.follow().await.unwrap();
    relay.replica.keys.replace(keys(&["new"]));
    relay.follow().await.unwrap();
    let late = Relay::new(&log);
    late.replica.keys.replace(keys(&["new"]));
    assert_eq!(late.ready().await.before(&account("alice")), NOW);
    // A relay that gets the key later reads what it could not read before.
    relay.revoke(&account("bob"), NOW).await.unwrap();
    let mut stale = Relay::new(&log).ready().await;
    assert_eq!(stale.before(&account("bob")), 0);
    stale.replica.keys.replace(keys(&["new"]));
    stale.follow().await.unwrap();
    assert_eq!(stale.before(&account("bob")), NOW);
}

#[tokio::test]
async fn a_full_log_fails_the_request_and_holds_up_nothing_else() {
    let log = SimulatedLog::default();
    let mut relay = Relay::new(&log).ready().await;
    log.stream().capacity = Some(1);
    relay.revoke(&account("alice"), NOW).await.unwrap();
    assert_eq!(relay.revoke(&account("bob"), NOW).await, Err(LogError::Full));
    assert_eq!(relay.before(&account("bob")), NOW);
    relay.follow().await.unwrap();
    assert!(relay.replica.revocations.is_complete());
    relay.revoke(&account("alice"), NOW + 5).await.unwrap();
    // Room is used as soon as there is some.
    log.stream().capacity = None;
    relay.follow().await.unwrap();
    assert_eq!(log.names().len(), 2);
}

#[tokio::test]
async fn a_revocation_of_an_installation_removes_the_narrower_ones_from_the_log() {
    let log = SimulatedLog::default();
    let (mut first, mut second) = (Relay::new(&log).ready().await, Relay::new(&log).ready().await);
    for id in ["alice", "bob"] {
        first.revoke(&account(id), NOW).await.unwrap();
    }
    // One that covers later tokens stays.
    second.revoke(&account("carol"), NOW + 50).await.unwrap();
    first.revoke(&everything(), NOW).await.unwrap();
    first.follow().await.unwrap();
    assert_eq!(log.names().len(), 4);
    first.revoke(&everything(), NOW + 60).await.unwrap();
    first.follow().await.unwrap();
    assert_eq!(log.names().len(), 1);
    second.follow().await.unwrap();
    for relay in [&second, &Relay::new(&log).ready().await] {
        assert_eq!((relay.before(&everything()), relay.replica.revocations.len()), (NOW + 60, 1));
    }
}
