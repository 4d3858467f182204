use super::*;
use proptest::prelude::*;
use std::{collections::HashMap, time::Duration};

/// An entry of a tenant, with its number and its size.
#[derive(Clone, Debug, PartialEq)]
struct Thing(Tenant, u32, usize);

impl Weighted for Thing {
    fn weight(&self) -> usize {
        self.2
    }
}

fn tenant(app: u64, installation: u64) -> Tenant {
    Tenant { app, installation: app * 100 + installation }
}

/// Returns the bytes of each installation.
fn held(shares: &Shares<Thing>) -> HashMap<u64, usize> {
    shares.queues.iter().map(|(installation, queue)| (*installation, queue.bytes)).collect()
}

#[test]
fn a_tenant_within_its_share_loses_nothing_to_a_greedy_one() {
    let (mut shares, start) = (Shares::default(), Instant::now());
    let limit = 1_000_000;
    let small: Vec<Tenant> = (0..10).map(|installation| tenant(1, installation)).collect();
    for (number, tenant) in small.iter().cycle().take(500).enumerate() {
        shares.push(*tenant, start, Thing(*tenant, number as u32, 1000));
    }
    let greedy = tenant(2, 0);
    for number in 0..10_000 {
        shares.push(greedy, start, Thing(greedy, number, 3000));
        while shares.footprint() > limit {
            let (_, popped) = shares.pop_from_largest().unwrap();
            assert_eq!(popped.0, greedy);
        }
    }
    assert!(small.iter().all(|tenant| held(&shares)[&tenant.installation] == 50_000));
    assert!(held(&shares)[&greedy.installation] > 490_000);
}

#[test]
fn an_app_with_a_thousand_installations_has_the_share_of_one_app() {
    let (mut shares, start) = (Shares::default(), Instant::now());
    let (limit, modest) = (2_000_000, tenant(1, 0));
    for number in 0..800 {
        shares.push(modest, start, Thing(modest, number, 1000));
    }
    for number in 0..20_000 {
        let of = Tenant { app: 2, installation: 1_000_000 + u64::from(number % 1000) };
        shares.push(of, start, Thing(of, number, 1000));
        while shares.footprint() > limit {
            let (_, popped) = shares.pop_from_largest().unwrap();
            assert_eq!(popped.0.app, 2);
        }
    }
    assert_eq!(held(&shares)[&modest.installation], 800_000);
    // Within the app, the installations differ by no more than the rounding of sizes.
    let of_app: Vec<usize> =
        held(&shares).into_iter().filter(|(key, _)| *key >= 1_000_000).map(|(_, bytes)| bytes).collect();
    assert!(of_app.iter().max().unwrap() - of_app.iter().min().unwrap() <= 1000, "{of_app:?}");
}

#[test]
fn tenants_are_counted_and_removed_with_their_last_entry() {
    let (mut shares, start) = (Shares::default(), Instant::now());
    for number in 0..1000 {
        let of = Tenant { app: u64::from(number % 7), installation: u64::from(number) };
        shares.push(of, start, Thing(of, number, 10));
    }
    assert_eq!((shares.bytes(), shares.footprint()), (10_000, 10_000 + 999 * TENANT));
    while shares.pop_from_largest().is_some() {}
    assert_eq!((shares.bytes(), shares.footprint(), shares.len()), (0, 0, 0));
    assert!(shares.queues.is_empty() && shares.apps.is_empty());
    assert!(shares.sizes.is_empty() && shares.expiries.is_empty());
}

#[test]
fn sizes_grow_with_bytes_and_differ_by_an_eighth() {
    for bytes in 0..100_000 {
        assert!(Size::of(bytes) <= Size::of(bytes + 1));
        let more = Size::of(bytes + bytes / 7 + 1);
        assert!(bytes < Size::MIN || Size::of(bytes) < more, "{bytes}");
    }
    assert_eq!(Size::of(0), Size::of(Size::MIN));
    assert!(Size::of(usize::MAX) > Size::of(1 << 40));
}

#[derive(Clone, Debug)]
enum Step {
    Push { app: u64, installation: u64, cost: usize },
    PopLargest,
    Pass { millis: u64 },
    Expire { millis: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_u64, 0..4_u64, 1..5000_usize)
            .prop_map(|(app, installation, cost)| Step::Push { app, installation, cost }),
        2 => Just(Step::PopLargest),
        2 => (0..1000_u64).prop_map(|millis| Step::Pass { millis }),
        1 => (0..5000_u64).prop_map(|millis| Step::Expire { millis }),
    ]
}

/// Checks that no other tenant is much larger. Sizes are rounded, and shrink with a delay.
fn check_is_largest(tenant_of_entry: Tenant, model: &[(Instant, Thing)]) -> Result<(), TestCaseError> {
    let bytes = |is_counted: &dyn Fn(Tenant) -> bool| -> usize {
        model.iter().filter(|(_, thing)| is_counted(thing.0)).map(|(_, thing)| thing.2).sum()
    };
    let of_app = |app| bytes(&|tenant| tenant.app == app);
    let of_installation = |installation| bytes(&|tenant| tenant.installation == installation);
    for app in 0..3 {
        prop_assert!(of_app(app) * 3 / 4 <= of_app(tenant_of_entry.app) + 4 * TENANT);
    }
    for installation in 0..4 {
        let other = tenant(tenant_of_entry.app, installation).installation;
        let largest = of_installation(tenant_of_entry.installation);
        prop_assert!(of_installation(other) * 3 / 4 <= largest.max(Size::MIN));
    }
    Ok(())
}

proptest! {
    /// Compares the shares with a plain list in the order of time.
    #[test]
    fn every_entry_is_removed_once_in_its_tenants_order_and_by_its_expiry(
        steps in prop::collection::vec(step(), 1..300),
    ) {
        let (mut shares, mut model, mut now) = (Shares::default(), Vec::<(Instant, Thing)>::new(), Instant::now());
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Push { app, installation, cost } => {
                    let of = tenant(app, installation);
                    let thing = Thing(of, number as u32, cost);
                    shares.push(of, now, thing.clone());
                    model.push((now, thing));
                }
                Step::PopLargest => {
                    let popped = shares.pop_from_largest();
                    prop_assert_eq!(popped.is_some(), !model.is_empty());
                    if let Some((at, popped)) = popped {
                        check_is_largest(popped.0, &model)?;
                        let oldest = model.iter().position(|(_, thing)| thing.0 == popped.0).unwrap();
                        prop_assert_eq!(model.remove(oldest), (at, popped));
                    }
                }
                Step::Pass { millis } => now += Duration::from_millis(millis),
                Step::Expire { millis } => {
                    let Some(start) = now.checked_sub(Duration::from_millis(millis)) else { continue };
                    while let Some((at, popped)) = shares.pop_expired(start) {
                        let oldest = model.iter().position(|(_, thing)| thing.0 == popped.0).unwrap();
                        prop_assert_eq!(model.remove(oldest), (at, popped));
                    }
                    prop_assert!(model.iter().all(|(at, _)| *at >= start));
                }
            }
            let bytes: usize = model.iter().map(|(_, thing)| thing.2).sum();
            prop_assert_eq!((shares.len(), shares.bytes()), (model.len(), bytes));
            prop_assert_eq!(shares.expiries.len(), shares.queues.len());
        }
    }
}
