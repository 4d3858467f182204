use super::*;
use sealwire_protocol::UnixMillis;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const DAY: u64 = limits::MAX_TOKEN_LIFETIME;

/// So many seconds later on either clock.
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

/// True if alice's token of the dashboard 7, made at `made`, is revoked.
fn covers(revocations: &Revocations, app: &str, installation: &str, made: u64) -> bool {
    let namespace = Namespace { app, installation };
    let context = |property: &str| (property == "dashboard").then_some("7");
    let made = UnixSeconds(made);
    let subject = Subject { namespace, account: "alice", context: &context, made };
    revocations.check(&subject, Seen::default()).is_err()
}

#[test]
fn a_revocation_means_exactly_the_sessions_that_it_names() {
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
        revocations.add("app", "site", selector.clone(), NOW, start()).unwrap();
        assert_eq!(covers(&revocations, "app", "site", NOW.0 - 1), expected, "{selector:?}");
        assert!(!covers(&revocations, "app", "site", NOW.0), "later sessions may come");
        assert!(!covers(&revocations, "app", "other", NOW.0 - 1));
        assert!(!covers(&revocations, "other", "site", NOW.0 - 1));
    }
}

#[test]
fn a_revocation_is_remembered_until_the_last_token_that_it_means_has_expired() {
    let (revocations, now) = (Revocations::default(), start());
    revocations.add("app", "site", account("alice"), NOW, now).unwrap();
    // Other revocations are added meanwhile.
    let almost = later(now, DAY - 1, DAY as i64 - 1);
    revocations.add("app", "b", everything(), NOW, almost).unwrap();
    assert!(covers(&revocations, "app", "site", NOW.0 - 1));
    let over = later(now, DAY, DAY as i64);
    revocations.add("app", "c", everything(), UnixSeconds(NOW.0 + DAY), over).unwrap();
    assert!(!covers(&revocations, "app", "site", NOW.0 - 1));
    // The second one was told late, and is kept for as long as the first.
    assert_eq!(revocations.len(), 2);
    let empty = Table::default();
    let mut table = revocations.table.into_inner().unwrap();
    table.expire(later(now, 2 * DAY, 2 * DAY as i64));
    assert_eq!((table.bytes, table.apps.len()), (empty.bytes, empty.apps.len()));
}

#[test]
fn a_wall_clock_that_jumps_forgets_no_revocation() {
    let day = DAY as i64;
    for (passed, jumped, remembered) in [
        // Ahead by 25 hours, whether for a moment or for long.
        (1, day + 3600, true),
        (DAY - 1, 2 * day + 3599, true),
        (DAY, 2 * day + 3600, false),
        // Set back: the tokens live on by it.
        (DAY, day - 36_000, true),
        (DAY + 35_999, day - 1, true),
        (DAY + 36_000, day, false),
        (3600, -10 * day, true),
    ] {
        let (revocations, now) = (Revocations::default(), start());
        revocations.add("app", "site", account("alice"), NOW, now).unwrap();
        let then = later(now, passed, jumped);
        revocations.add("other", "site", everything(), then.wall.seconds(), then).unwrap();
        let covered = covers(&revocations, "app", "site", NOW.0 - 1);
        assert_eq!(covered, remembered, "{passed} s later, by {jumped}");
    }
    // One that is told while the clock is ahead means what it says as well.
    let (revocations, now) = (Revocations::default(), start());
    revocations.add("app", "site", account("alice"), NOW, later(now, 0, day + 3600)).unwrap();
    assert!(covers(&revocations, "app", "site", NOW.0 - 1));
}

#[test]
fn the_same_again_takes_no_more_room_and_never_means_less() {
    let revocations = Revocations::default();
    for before in [NOW.0, NOW.0 + 10, NOW.0 + 5] {
        revocations.add("app", "site", account("alice"), UnixSeconds(before), start()).unwrap();
    }
    assert_eq!(revocations.len(), 1);
    assert!(
        covers(&revocations, "app", "site", NOW.0 + 9) && !covers(&revocations, "app", "site", NOW.0 + 10)
    );
}

#[test]
fn whoever_has_seen_the_revocations_looks_at_new_ones_only() {
    let revocations = Revocations::default();
    let namespace = Namespace { app: "app", installation: "site" };
    let subject = |account| Subject { namespace, account, context: &|_| None, made: NOW };
    let check = |account, seen| revocations.check(&subject(account), seen);
    let add = |id: &str, before| revocations.add("app", "site", account(id), UnixSeconds(before), start());
    add("alice", NOW.0 + 1).unwrap();
    assert_eq!(check("alice", Seen::default()), Err(Revoked { before: UnixSeconds(NOW.0 + 1) }));
    let seen = check("bob", Seen::default()).unwrap();
    assert!(seen > Seen::default() && check("alice", seen).is_ok(), "it was seen");
    // The same revocation again is a new one.
    add("bob", NOW.0).unwrap();
    add("alice", NOW.0).unwrap();
    assert_eq!(check("alice", seen), Err(Revoked { before: UnixSeconds(NOW.0 + 1) }));
    let seen = check("bob", seen).unwrap();
    add("carol", NOW.0 + 1).unwrap();
    assert!(check("carol", seen).is_err() && check("bob", seen).is_ok());
    assert!(check("carol", check("bob", seen).unwrap()).is_ok());
}

#[test]
fn one_app_cannot_take_the_room_of_the_others_and_nothing_is_forgotten_for_want_of_it() {
    let revocations = Revocations::default();
    let mut added = 0;
    let refused = loop {
        match revocations.add("app", "site", account(&format!("account-{added}")), NOW, start()) {
            Ok(()) => added += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!((refused.code, revocations.len()), (Code::RateLimited, added));
    assert!((3000..10_000).contains(&added), "{added}");
    // The way out that the refusal names helps, and no other app is concerned.
    revocations.add("other", "site", account("bob"), NOW, start()).unwrap();
    revocations.add("app", "site", everything(), NOW, start()).unwrap();
    assert_eq!(revocations.len(), 2);
    assert!(covers(&revocations, "app", "site", NOW.0 - 1));
    revocations.add("app", "site", account("alice"), UnixSeconds(NOW.0 + 5), start()).unwrap();
}

#[test]
fn all_apps_together_stay_within_their_bytes() {
    let revocations = Revocations::default();
    let long = "a".repeat(limits::MAX_INSTALLATION - 10);
    let fill = |app: usize| {
        (0..).find_map(|number: u32| {
            let installation = format!("{long}{number}");
            revocations.add(&app.to_string(), &installation, everything(), NOW, start()).err()
        })
    };
    let apps = MAX_BYTES / MAX_BYTES_OF_APP;
    for app in 0..apps {
        assert_eq!(fill(app).unwrap().code, Code::RateLimited);
    }
    assert_eq!(fill(apps).unwrap().code, Code::Overloaded);
    assert!(revocations.table.read().unwrap().bytes <= MAX_BYTES);
}
