use super::*;
use sealwire_protocol::{Scope, UnixMillis, limits};
use std::time::Instant;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const DAY: u64 = limits::MAX_TOKEN_LIFETIME;

/// The time `monotonic` seconds later on the monotonic clock, and `wall` seconds after [`NOW`] on the wall clock.
fn later(start: Now, monotonic: u64, wall: i64) -> Now {
    let wall = NOW.0.saturating_add_signed(wall) * 1000;
    Now { monotonic: start.monotonic + Duration::from_secs(monotonic), wall: UnixMillis(wall) }
}

fn start() -> Now {
    Now { monotonic: Instant::now(), wall: NOW.millis() }
}

fn account(id: &str) -> Selector {
    Selector { account: Some(id.to_owned()), context: Scope::default() }
}

fn everything() -> Selector {
    Selector { account: None, context: Scope::default() }
}

fn context(property: &str, value: &str) -> Selector {
    let mut context = Scope::default();
    context.insert(property, value).unwrap();
    Selector { account: None, context }
}

/// True if alice's token for dashboard 7, issued at `issued_at`, is revoked.
fn covers(revocations: &Revocations, app: &str, installation: &str, issued_at: u64) -> bool {
    let namespace = Namespace { app, installation };
    let context = |visit: &mut dyn FnMut(&str, &str)| visit("dashboard", "7");
    let issued_at = UnixSeconds(issued_at);
    let subject = Subject { namespace, account: "alice", context: &context, issued_at };
    revocations.check(&subject, Seen::default()).is_err()
}

#[test]
fn a_revocation_covers_exactly_the_sessions_that_it_selects() {
    let both = Selector { account: Some("alice".into()), ..context("dashboard", "7") };
    let neither = Selector { account: Some("bob".into()), ..context("dashboard", "7") };
    for (selector, expected) in [
        (account("alice"), true),
        (account("bob"), false),
        (account("alic"), false),
        (context("dashboard", "7"), true),
        (context("dashboard", "8"), false),
        (context("issue", "7"), false),
        (both, true),
        (neither, false),
        (everything(), true),
    ] {
        let revocations = Revocations::default();
        revocations.add("app", "site", &selector, NOW, start()).unwrap();
        assert_eq!(covers(&revocations, "app", "site", NOW.0 - 1), expected, "{selector:?}");
        assert!(!covers(&revocations, "app", "site", NOW.0), "later sessions are not covered");
        assert!(!covers(&revocations, "app", "other", NOW.0 - 1));
        assert!(!covers(&revocations, "other", "site", NOW.0 - 1));
    }
}

#[test]
fn a_revocation_is_kept_until_the_last_token_that_it_covers_has_expired() {
    let (revocations, now) = (Revocations::default(), start());
    revocations.add("app", "site", &account("alice"), NOW, now).unwrap();
    // Each addition removes the expired revocations first.
    let almost = later(now, DAY - 1, DAY as i64 - 1);
    revocations.add("app", "b", &everything(), NOW, almost).unwrap();
    assert!(covers(&revocations, "app", "site", NOW.0 - 1));
    let over = later(now, DAY, DAY as i64);
    revocations.add("app", "c", &everything(), UnixSeconds(NOW.0 + DAY), over).unwrap();
    assert!(!covers(&revocations, "app", "site", NOW.0 - 1));
    // The second revocation was added late for its tokens, and is still kept for a whole day.
    assert_eq!(revocations.len(), 2);
    let empty = RevocationTable::default();
    let mut table = revocations.table.into_inner().unwrap();
    table.expire(later(now, 2 * DAY, 2 * DAY as i64));
    assert_eq!((table.bytes, table.apps.len()), (empty.bytes, empty.apps.len()));
}

#[test]
fn a_wall_clock_that_jumps_drops_no_revocation() {
    let day = DAY as i64;
    for (passed, jumped, is_kept) in [
        // The wall clock jumps ahead by 25 hours.
        (1, day + 3600, true),
        (DAY - 1, 2 * day + 3599, true),
        (DAY, 2 * day + 3600, false),
        // The wall clock is set back, which prolongs the life of the tokens.
        (DAY, day - 36_000, true),
        (DAY + 35_999, day - 1, true),
        (DAY + 36_000, day, false),
        (3600, -10 * day, true),
    ] {
        let (revocations, now) = (Revocations::default(), start());
        revocations.add("app", "site", &account("alice"), NOW, now).unwrap();
        let then = later(now, passed, jumped);
        revocations.add("other", "site", &everything(), then.wall.seconds(), then).unwrap();
        let covered = covers(&revocations, "app", "site", NOW.0 - 1);
        assert_eq!(covered, is_kept, "{passed} s later, by {jumped}");
    }
    // A revocation that is added while the clock is ahead covers its tokens too.
    let (revocations, now) = (Revocations::default(), start());
    revocations.add("app", "site", &account("alice"), NOW, later(now, 0, day + 3600)).unwrap();
    assert!(covers(&revocations, "app", "site", NOW.0 - 1));
}

#[test]
fn a_repeated_revocation_takes_no_more_memory_and_never_covers_less() {
    let revocations = Revocations::default();
    for before in [NOW.0, NOW.0 + 10, NOW.0 + 5] {
        revocations.add("app", "site", &account("alice"), UnixSeconds(before), start()).unwrap();
    }
    assert_eq!(revocations.len(), 1);
    assert!(
        covers(&revocations, "app", "site", NOW.0 + 9) && !covers(&revocations, "app", "site", NOW.0 + 10)
    );
}

#[test]
fn a_session_is_checked_against_new_revocations_only() {
    let revocations = Revocations::default();
    let namespace = Namespace { app: "app", installation: "site" };
    let subject = |account| Subject { namespace, account, context: &|_| {}, issued_at: NOW };
    let check = |account, seen| revocations.check(&subject(account), seen);
    let add = |id: &str, before| revocations.add("app", "site", &account(id), UnixSeconds(before), start());
    add("alice", NOW.0 + 1).unwrap();
    assert_eq!(check("alice", Seen::default()), Err(Revoked { before: UnixSeconds(NOW.0 + 1) }));
    let seen = check("bob", Seen::default()).unwrap();
    assert!(seen > Seen::default() && check("alice", seen).is_ok(), "it was seen");
    // A repeated revocation counts as a new one.
    add("bob", NOW.0).unwrap();
    add("alice", NOW.0).unwrap();
    assert_eq!(check("alice", seen), Err(Revoked { before: UnixSeconds(NOW.0 + 1) }));
    let seen = check("bob", seen).unwrap();
    add("carol", NOW.0 + 1).unwrap();
    assert!(check("carol", seen).is_err() && check("bob", seen).is_ok());
    assert!(check("carol", check("bob", seen).unwrap()).is_ok());
}

#[test]
fn one_app_cannot_fill_the_table_and_a_full_table_evicts_nothing() {
    let revocations = Revocations::default();
    let mut added = 0;
    let refused = loop {
        match revocations.add("app", "site", &account(&format!("account-{added}")), NOW, start()) {
            Ok(()) => added += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!((refused.code, revocations.len()), (Code::RateLimited, added));
    assert!((3000..10_000).contains(&added), "{added}");
    // The app can revoke whole installations instead, as the refusal says, and other apps are not affected.
    revocations.add("other", "site", &account("bob"), NOW, start()).unwrap();
    revocations.add("app", "site", &everything(), NOW, start()).unwrap();
    assert_eq!(revocations.len(), 2);
    assert!(covers(&revocations, "app", "site", NOW.0 - 1));
    revocations.add("app", "site", &account("alice"), UnixSeconds(NOW.0 + 5), start()).unwrap();
}

#[test]
fn all_apps_together_stay_within_the_memory_limit() {
    let revocations = Revocations::default();
    let long = "a".repeat(limits::MAX_INSTALLATION - 10);
    let fill = |app: usize| {
        (0..).find_map(|number: u32| {
            let installation = format!("{long}{number}");
            revocations.add(&app.to_string(), &installation, &everything(), NOW, start()).err()
        })
    };
    let apps = MAX_BYTES / MAX_BYTES_PER_APP;
    for app in 0..apps {
        assert_eq!(fill(app).unwrap().code, Code::RateLimited);
    }
    assert_eq!(fill(apps).unwrap().code, Code::Overloaded);
    assert!(revocations.table.read().unwrap().bytes <= MAX_BYTES);
}
