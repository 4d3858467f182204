//! Fairness between tenants: a tenant within its share loses nothing to the others.

use super::*;

/// Publishes six messages as one tenant, then floods the cache as others for a whole replay window. Returns the offset
/// of the first message.
fn flood(fixture: &mut Fixture, others: impl Fn(u64) -> Tenant) -> u64 {
    let neighbour = fixture.tenant;
    let before = fixture.publish(1);
    (0..5).for_each(|_| assert!(fixture.publish(1) > before));
    let mut published = 0;
    for _ in 0..WINDOW.as_secs() {
        for _ in 0..40 {
            published += 1;
            fixture.tenant = others(published);
            fixture.publish_sized(2 + (fixture.tenant.installation % 200) as u8, 20_000);
        }
        fixture.tenant = neighbour;
        fixture.pass(Duration::from_secs(1));
        assert!(fixture.hub.cached_bytes() <= 4 << 20);
    }
    before
}

#[test]
fn a_tenant_that_floods_the_cache_evicts_only_its_own_publications() {
    let mut fixture = Fixture::new(4 << 20);
    let before = flood(&mut fixture, |_| tenant(2, 0));
    assert!(fixture.hub.counts().evicted > 4000);
    let replay = fixture.subscribe(1, Fixture::after(before));
    assert!(replay.recovered);
    assert_eq!(replay.publications.len(), 5);
    fixture.pass(Duration::from_millis(1));
    assert!(!fixture.subscribe(1, Fixture::after(before)).recovered, "the replay window has passed");
}

#[test]
fn an_app_with_many_installations_has_one_share_beside_another_app() {
    let mut fixture = Fixture::new(4 << 20);
    let before = flood(&mut fixture, |number| tenant(2, number % 1000));
    assert!(fixture.subscribe(1, Fixture::after(before)).recovered);
    // Installations of one app do not shorten each other's window either.
    let mut fixture = Fixture::new(4 << 20);
    let before = flood(&mut fixture, |_| tenant(1, 7));
    assert!(fixture.subscribe(1, Fixture::after(before)).recovered);
}

#[test]
fn eviction_for_memory_takes_from_the_largest_tenant() {
    let mut fixture = Fixture::new(4 << 20);
    let before = fixture.publish(1);
    fixture.publish_sized(1, 100_000);
    fixture.tenant = tenant(2, 0);
    (0..150).for_each(|_| assert!(fixture.publish_sized(2, 20_000) > before));
    let cached = fixture.hub.cached_bytes();
    let evicted = fixture.hub.evict(1 << 20, fixture.now.monotonic);
    assert!((1 << 20..(1 << 20) + 30_000).contains(&evicted), "{evicted}");
    assert_eq!(fixture.hub.cached_bytes(), cached - evicted);
    assert!(fixture.subscribe(1, Fixture::after(before)).recovered);
    // A quarter of the budget is never evicted.
    while fixture.hub.evict(usize::MAX, fixture.now.monotonic) > 0 {}
    assert!((1 << 20) - 30_000 < fixture.hub.cached_bytes() && fixture.hub.cached_bytes() <= 1 << 20);
    assert!(fixture.subscribe(1, Fixture::after(before)).recovered);
}

#[test]
fn a_tenant_that_floods_the_ids_evicts_only_its_own() {
    let mut fixture = Fixture::new(1 << 20);
    let ids = (1 << 20) / 4 / Ids::WEIGHT;
    let mut first = fixture.draft(1, 10, 1);
    let receipt = fixture.hub.publish(first.clone(), fixture.now).unwrap().receipt;
    for id in 2..4 * ids as u128 {
        let draft = Draft { tenant: tenant(2, 0), ..fixture.draft(2, 10, id) };
        assert!(fixture.hub.publish(draft, fixture.now).unwrap().publication.is_some());
    }
    let again = fixture.hub.publish(first.clone(), fixture.now).unwrap();
    assert_eq!((again.receipt, again.publication.is_some()), (receipt, false));
    // The hub no longer remembers the first ids of the flooding tenant.
    first = Draft { tenant: tenant(2, 0), ..fixture.draft(2, 10, 2) };
    assert!(fixture.hub.publish(first, fixture.now).unwrap().publication.is_some());
    assert!(fixture.hub.ids.bytes() <= (1 << 20) / 4);
}

#[test]
fn a_tenant_that_floods_the_hub_with_channels_evicts_only_its_own() {
    let mut fixture = Fixture::new(1 << 18);
    fixture.pass(WINDOW);
    let offset = fixture.subscribe(1, None).position.offset;
    fixture.unsubscribe(1);
    let draft = Draft { tenant: tenant(2, 0), ..fixture.draft(2, 10, 1) };
    fixture.hub.publish(draft, fixture.now).unwrap();
    let channel = |number: u32| ChannelId([&number.to_be_bytes()[..], &[9; 12]].concat().try_into().unwrap());
    for number in 0..10_000 {
        fixture.hub.subscribe(tenant(2, 0), channel(number), None, fixture.now);
        fixture.hub.unsubscribe(channel(number), fixture.now);
    }
    assert!(fixture.hub.channels() <= (1 << 18) / 8 / Hub::CHANNEL_OVERHEAD + Hub::MIN_IDLE + 1);
    assert!(fixture.subscribe(1, Fixture::after(offset)).recovered);
    // A new channel of the flooding tenant may be one that was dropped; one of the neighbour cannot.
    let seconds = Some(Since::ReplaySeconds(5));
    assert!(fixture.subscribe(77, seconds).recovered);
    fixture.tenant = tenant(2, 0);
    assert!(!fixture.subscribe(78, seconds).recovered);
}

#[test]
fn a_mass_expiry_is_split_over_several_calls() {
    let mut fixture = Fixture::new(1 << 24);
    for channel in 0..200 {
        (0..20).for_each(|_| assert!(fixture.publish_sized(channel, 10) > 0));
    }
    fixture.pass(WINDOW + Duration::from_millis(1));
    let mut calls = 1;
    while fixture.hub.expire(fixture.now.monotonic) {
        calls += 1;
        assert!(fixture.hub.counts().expired <= calls * Hub::MAX_EVICTIONS_AT_ONCE as u64);
    }
    assert!(calls > 3, "{calls}");
    assert_eq!((fixture.hub.cached_bytes(), fixture.hub.ids.bytes()), (0, 0));
}
