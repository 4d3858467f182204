use super::*;
use crate::settings::Settings;
use std::sync::Arc;

fn limits() -> Arc<Limits> {
    let settings = Settings {
        publish_rate: 6400,
        publish_burst: 10_000,
        publish_rate_per_app: Some(64_000),
        max_sessions_per_account: 64,
        ..Settings::default()
    };
    Arc::new(Limits::new(settings, Instant::now()).shared())
}

#[test]
fn accepted_publications_are_reported_once_and_refused_ones_never() {
    let (limits, now) = (limits(), Instant::now());
    let (site, app) = (IdDigest::installation("a", "i"), IdDigest::app("a"));
    let publisher = limits.publisher("a", "i");
    limits.check_publishes(&publisher, 9000, 5, now).unwrap();
    limits.check_publishes(&publisher, 1001, 5, now).unwrap_err();
    let expected = Usage { messages: 9000, bytes: 5 };
    let taken = limits.take_publish_use(1, 10);
    assert_eq!((taken.installations, taken.apps), (vec![(site, expected)], vec![(app, expected)]));
    assert_eq!(limits.take_publish_use(1, 10), PublishUse::default());
    // A 64th of the rate is small, for all relays together.
    limits.check_publishes(&publisher, 100, 5, now).unwrap();
    assert_eq!(limits.take_publish_use(1, 10), PublishUse::default());
    assert_eq!(limits.take_publish_use(2, 10).installations.len(), 1);
}

#[test]
fn a_relay_alone_computes_no_digests_and_reports_nothing() {
    let now = Instant::now();
    let limits = Arc::new(Limits::new(Settings::default(), now));
    assert!(limits.publisher("a", "i").digests().is_none());
    limits.check_publishes(&limits.publisher("a", "i"), 100, 5, now).unwrap();
    let _session = limits.admit_session("a", "i", "x").unwrap();
    assert_eq!(limits.take_publish_use(1, 10), PublishUse::default());
    assert_eq!(limits.take_session_counts(1, true), []);
}

#[test]
fn a_tenant_has_the_same_keys_in_all_its_parts() {
    let limits = limits();
    let publisher = limits.publisher("a", "i");
    assert_eq!(publisher.tenant(), limits.tenant("a", "i"));
    assert_eq!(publisher.tenant().installation, limits.local_key(&IdDigest::installation("a", "i")));
    let session = limits.admit_session("a", "i", "x").unwrap();
    assert_eq!(session.account(), limits.account("a", "i", "x"));
    assert_eq!(session.account(), limits.local_key(&IdDigest::account("a", "i", "x")));
}

#[test]
fn sessions_are_reported_from_a_16th_of_their_limit() {
    let (limits, name) = (limits(), IdDigest::account("a", "i", "x"));
    let account = |counts: Vec<(IdDigest, u32)>| counts.into_iter().find(|(known, _)| *known == name);
    let sessions: Vec<_> = (0..3).map(|_| limits.admit_session("a", "i", "x").unwrap()).collect();
    assert_eq!(account(limits.take_session_counts(1, false)), None);
    assert_eq!(account(limits.take_session_counts(2, true)), Some((name, 3)));
    let _fourth = limits.admit_session("a", "i", "x").unwrap();
    assert_eq!(account(limits.take_session_counts(1, false)), Some((name, 4)));
    drop(sessions);
    assert_eq!(account(limits.take_session_counts(1, false)), Some((name, 0)));
    // A refused session is not reported.
    limits.set(Settings { max_sessions_per_account: 1, ..Settings::default() });
    assert!(limits.admit_session("a", "i", "x").is_err());
    assert_eq!(account(limits.take_session_counts(1, true)), Some((name, 1)));
}

#[test]
fn one_report_counts_at_most_what_a_relay_can_accept_between_two() {
    let (limits, now) = (limits(), Instant::now());
    let site = IdDigest::installation("a", "i");
    limits.debit_installation(&site, Usage { messages: u64::MAX, bytes: 0 }, now);
    // The debt is what a second allows.
    let publisher = limits.publisher("a", "i");
    let at = |millis| now + std::time::Duration::from_millis(millis);
    assert!(limits.check_publishes(&publisher, 64, 0, at(1000)).is_err());
    assert!(limits.check_publishes(&publisher, 64, 0, at(1011)).is_ok());
    limits.debit_app(&IdDigest::app("a"), Usage { messages: u64::MAX, bytes: 0 }, at(1011));
    assert!(limits.check_publishes(&publisher, 1, 0, at(1100)).is_err());
}
