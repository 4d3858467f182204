//! Repeated messages, reused ids, and the times of publications.

use super::*;

#[test]
fn a_repeated_message_gets_the_first_answer_within_the_window() {
    let mut fixture = Fixture::new(1 << 20);
    let first = fixture.hub.publish(fixture.draft(1, 10, 5), fixture.now).unwrap();
    fixture.pass(WINDOW);
    let again = fixture.hub.publish(fixture.draft(1, 10, 5), fixture.now).unwrap();
    assert_eq!(again.receipt, first.receipt);
    assert!(again.publication.is_none());
    // Ids are scoped to their channel.
    assert!(fixture.hub.publish(fixture.draft(2, 10, 5), fixture.now).unwrap().publication.is_some());
    fixture.pass(Duration::from_millis(1));
    assert!(fixture.hub.publish(fixture.draft(1, 10, 5), fixture.now).unwrap().publication.is_some());
}

#[test]
fn a_reused_id_with_another_content_is_refused_and_changes_nothing() {
    let mut fixture = Fixture::new(1 << 20);
    let first = fixture.hub.publish(fixture.draft(1, 1000, 5), fixture.now).unwrap();
    let draft = fixture.draft(1, 1000, 5);
    let mut changed = vec![0; 1000];
    changed[500] = 1;
    for other in [
        Draft { event: "added".into(), ..draft.clone() },
        Draft { sealed: changed.into(), ..draft.clone() },
        Draft { sealed: Bytes::from(vec![0; 999]), ..draft.clone() },
        // The event and the payload are hashed separately, not as one text.
        Draft { event: "\0".into(), sealed: Bytes::from(vec![0; 999]), ..draft.clone() },
    ] {
        assert_eq!(fixture.hub.publish(other, fixture.now).unwrap_err(), IdReused);
    }
    assert_eq!(fixture.hub.publish(draft, fixture.now).unwrap().receipt, first.receipt);
    let counts = fixture.hub.counts();
    assert_eq!((counts.publications, counts.repeats), (1, 1));
    // An evicted message behaves in the same way.
    let mut fixture = Fixture::new(20_000);
    let first = fixture.draft(1, 1000, 5);
    fixture.hub.publish(first.clone(), fixture.now).unwrap();
    for _ in 0..20 {
        fixture.publish_sized(2, 1000);
    }
    let other = Draft { event: "added".into(), ..first.clone() };
    assert_eq!(fixture.hub.publish(other, fixture.now).unwrap_err(), IdReused);
    assert!(fixture.hub.publish(first, fixture.now).unwrap().publication.is_none());
}

#[test]
fn a_digest_of_the_content_replaces_the_sealed_bytes() {
    let mut fixture = Fixture::new(1 << 20);
    let digested = |digest: u8, len: usize, fixture: &Fixture| Draft {
        content: Some([digest; 16]),
        ..fixture.draft(1, len, 5)
    };
    let first = fixture.hub.publish(digested(1, 100, &fixture), fixture.now).unwrap();
    let again = fixture.hub.publish(digested(1, 200, &fixture), fixture.now).unwrap();
    assert_eq!((again.receipt, again.publication.is_none()), (first.receipt, true));
    for other in [digested(2, 100, &fixture), fixture.draft(1, 100, 5)] {
        assert_eq!(fixture.hub.publish(other, fixture.now).unwrap_err(), IdReused);
    }
}

#[test]
fn times_do_not_decrease_when_the_wall_clock_is_set_back() {
    let mut fixture = Fixture::new(1 << 20);
    let first = fixture.hub.publish(fixture.draft(1, 10, 1), fixture.now).unwrap().receipt.time;
    fixture.now.wall.0 -= 10_000;
    let second = fixture.hub.publish(fixture.draft(1, 10, 2), fixture.now).unwrap().receipt.time;
    assert!(second >= first);
}

#[test]
fn a_wall_clock_set_back_by_more_than_ten_seconds_is_followed_at_once() {
    let mut fixture = Fixture::new(1 << 20);
    let time = |fixture: &mut Fixture| {
        fixture.ids += 1;
        fixture.hub.publish(fixture.draft(1, 10, fixture.ids), fixture.now).unwrap().receipt.time
    };
    let true_time = fixture.now.wall;
    // The clock is an hour ahead, and then correct again.
    fixture.now.wall.0 += 3_600_000;
    assert_eq!(time(&mut fixture), fixture.now.wall);
    fixture.now.wall = true_time;
    assert_eq!(time(&mut fixture), true_time);
    // The clock is ten seconds ahead, and then correct: the time stands still until the clock has caught up.
    fixture.now.wall.0 += 10_000;
    let ahead = time(&mut fixture);
    fixture.now.wall.0 -= 10_000;
    for _ in 0..10 {
        assert_eq!(time(&mut fixture), ahead);
        fixture.pass(Duration::from_secs(1));
    }
    assert_eq!(time(&mut fixture), ahead);
    fixture.pass(Duration::from_millis(1));
    assert_eq!(time(&mut fixture), fixture.now.wall);
}
