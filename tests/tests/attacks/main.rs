//! Attacks on a running relay. Meanwhile two bystanders exchange messages: they must lose nothing, and their latency must
//! stay low. docs/security.md has a row for each attack.
#![allow(clippy::unwrap_used)]

mod bystanders;
mod case;
mod cluster;
mod forged;
mod growth;
mod http;
mod jwt;
mod logic;
mod nats;
mod overload;
mod target;
mod websocket;

use bystanders::Bystanders;
use case::{Case, Turn};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};
use target::Target;

/// The duration of the measurement before the first attack.
const QUIET: Duration = Duration::from_secs(3);
/// The lower end of the limit on the 99th percentile, which is otherwise three times the quiet one. The attackers, the
/// bystanders and everything else on the machine share their processors with the relay; below this value the scheduler
/// decides more than the relay.
const MIN_LIMIT: Duration = Duration::from_millis(50);

/// The same for a cluster, in which each message passes through five processes.
const MIN_LIMIT_IN_CLUSTER: Duration = Duration::from_millis(150);

fn cases() -> Vec<Case> {
    [jwt::cases(), http::cases(), logic::cases(), websocket::cases(), overload::cases()].concat()
}

#[test]
fn no_attack_succeeds_and_bystanders_lose_nothing() {
    try_all("one relay", &Target::start(), cases());
}

#[test]
fn no_attack_on_a_relay_of_a_cluster_succeeds_and_bystanders_lose_nothing() {
    try_all("two relays on NATS", &Target::start_in_cluster(), [cases(), nats::cases()].concat());
}

/// Tries the attacks while bystanders exchange messages.
#[allow(clippy::print_stdout, reason = "the test command shows the count")]
fn try_all(name: &str, target: &Target, cases: Vec<Case>) {
    let bystanders = Bystanders::on(target);
    std::thread::sleep(QUIET);
    let quiet = bystanders.latencies();

    let only = std::env::var("SEALWIRE_ATTACK").unwrap_or_default();
    let cases: Vec<Case> = cases.into_iter().filter(|case| case.name.contains(&only)).collect();
    let with = |turn| cases.iter().copied().filter(move |case| case.turn == turn);
    let mut failures: Vec<String> =
        with(Turn::Alone).filter_map(|case| growth::alone(|| attack(case, target))).collect();
    std::thread::scope(|scope| {
        let beside: Vec<_> =
            with(Turn::Beside).map(|case| scope.spawn(move || attack(case, target))).collect();
        failures.extend(with(Turn::Next).filter_map(|case| attack(case, target)));
        failures.extend(beside.into_iter().filter_map(|case| case.join().unwrap()));
    });

    let attacked = bystanders.latencies();
    let (sent, received) = bystanders.finish();
    let min = if target.cluster.is_some() { MIN_LIMIT_IN_CLUSTER } else { MIN_LIMIT };
    let limit = (3 * quiet.p99()).max(min);
    println!(
        "attacks on {name}: {} cases, {} failed; bystanders: {received} of {sent} messages, p99 {:.1} ms quiet, {:.1} ms under attack",
        cases.len(),
        failures.len(),
        quiet.p99().as_secs_f64() * 1e3,
        attacked.p99().as_secs_f64() * 1e3,
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(sent, received, "bystanders lost messages");
    let p99 = attacked.p99();
    assert!(p99 <= limit, "the bystanders' p99 latency was {p99:?}, the limit is {limit:?}");
    if only.is_empty() {
        let log = target.relay.log();
        assert!(log.contains("audit") && log.contains("mallory"), "the audit log is empty");
        target.must_have_logged_no_secret();
    }
}

/// Runs an attack. Returns an explanation if the relay did not withstand it.
#[allow(clippy::print_stderr, reason = "SEALWIRE_ATTACK_TIMES asks for the durations")]
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
fn the_security_page_lists_every_attack_and_no_other() {
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
    let exhausting = overload::exhaustion::ATTACKS.iter().map(|attack| attack.name);
    let writers = nats::writer::ATTACKS.iter().map(|attack| attack.name);
    let mut named: Vec<&str> =
        cases().iter().chain(&nats::cases()).map(|case| case.name).chain(exhausting).chain(writers).collect();
    listed.sort_unstable();
    named.sort_unstable();
    assert!(named.windows(2).all(|pair| pair[0] != pair[1]), "two attacks have the same name");
    assert_eq!(listed, named);
    assert!(named.len() >= 60);
}
