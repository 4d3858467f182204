//! Attacks on a running relay, one after the other and some at the same time, while two clients that mind their own
//! business must lose nothing and hardly notice. docs/security.md has a row for each.
#![allow(clippy::unwrap_used)]

mod bystanders;
mod case;
mod exhaustion;
mod floods;
mod forged;
mod greed;
mod http;
mod jwt;
mod logic;
mod resources;
mod target;
mod websocket;

use bystanders::Bystanders;
use case::Case;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};
use target::Target;

/// How long the bystanders are measured before anybody attacks.
const QUIET: Duration = Duration::from_secs(3);
/// The bound on the 99th percentile where three times the quiet one is less. The attackers, the bystanders and the rest of
/// the machine share their processors with the relay; below this bound the scheduler decides more than the relay.
const FLOOR: Duration = Duration::from_millis(50);

fn cases() -> Vec<Case> {
    let others = [websocket::CASES, floods::CASES, resources::CASES, greed::CASES].concat();
    [jwt::cases(), http::cases(), logic::cases(), others].concat()
}

#[test]
#[allow(clippy::print_stdout, reason = "the test command shows the count")]
fn no_attack_succeeds_and_bystanders_lose_nothing() {
    let target = Target::start();
    let bystanders = Bystanders::on(&target);
    std::thread::sleep(QUIET);
    let quiet = bystanders.latencies();

    let only = std::env::var("SEALWIRE_ATTACK").unwrap_or_default();
    let cases: Vec<Case> = cases().into_iter().filter(|case| case.name.contains(&only)).collect();
    let (patient, quick): (Vec<Case>, Vec<Case>) = cases.iter().partition(|case| case.is_patient);
    let target = &target;
    let failures: Vec<String> = std::thread::scope(|scope| {
        let patient: Vec<_> =
            patient.into_iter().map(|case| scope.spawn(move || attack(case, target))).collect();
        let mut failures: Vec<_> = quick.into_iter().filter_map(|case| attack(case, target)).collect();
        failures.extend(patient.into_iter().filter_map(|case| case.join().unwrap()));
        failures
    });

    let loud = bystanders.latencies();
    let (sent, received) = bystanders.finish();
    let limit = (3 * quiet.p99()).max(FLOOR);
    println!(
        "attacks: {} cases, {} failed; bystanders: {received} of {sent} messages, p99 {:.1} ms quiet, {:.1} ms under attack",
        cases.len(),
        failures.len(),
        quiet.p99().as_secs_f64() * 1e3,
        loud.p99().as_secs_f64() * 1e3,
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(sent, received, "bystanders lost messages");
    assert!(loud.p99() <= limit, "bystanders waited: {:?} at p99, {limit:?} allowed", loud.p99());
    if only.is_empty() {
        target.must_have_kept_its_secrets();
    }
}

/// What went wrong, where the relay did not hold.
#[allow(clippy::print_stderr, reason = "for who looks for what takes long")]
fn attack(case: Case, target: &Target) -> Option<String> {
    let start = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| (case.attack)(target)));
    let took = start.elapsed();
    if std::env::var_os("SEALWIRE_ATTACK_TIMES").is_some() {
        eprintln!("{:>6} ms {}", took.as_millis(), case.name);
    }
    let error = result.err()?;
    let text = error.downcast_ref::<String>().cloned();
    let text = text.or_else(|| error.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    Some(format!("{}: {}", case.name, text.unwrap_or_default()))
}

#[test]
fn every_attack_has_its_row_in_the_security_page_and_every_row_its_attack() {
    let page = include_str!("../../../docs/security.md");
    let (_, table) = page.split_once("| attack | what becomes of it |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with("| "));
    let mut listed: Vec<&str> = rows
        .map(|row| {
            let name = row.split('`').nth(1).unwrap();
            assert!(row.trim_end_matches(" |").len() > name.len() + 20, "{row}");
            name
        })
        .collect();
    let greedy = exhaustion::ATTACKS.iter().map(|attack| attack.name);
    let mut named: Vec<&str> = cases().iter().map(|case| case.name).chain(greedy).collect();
    listed.sort_unstable();
    named.sort_unstable();
    assert!(named.windows(2).all(|pair| pair[0] != pair[1]), "a name is used twice");
    assert_eq!(listed, named);
    assert!(named.len() >= 60);
}
