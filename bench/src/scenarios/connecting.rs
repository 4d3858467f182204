//! Scenarios E and F: many clients that connect at the same time.

use super::Run;
use crate::load::{Flow, Role, Traffic};
use anyhow::{Result, ensure};
use sealwire_protocol::wire::Position;
use std::time::{Duration, Instant};

const CHANNELS: u32 = 100;
const MISSED: u64 = 50;

/// Scenario E: each connection performs a handshake, presents a token and subscribes once.
pub(super) fn connect(run: &mut Run<'_>) -> Result<()> {
    const SCENARIO: &str = "E, connections as fast as possible";
    let count: u32 = run.pick(3_000, 10_000);
    let mut fleet = run.fleet()?;
    fleet.connect((0..100).map(Role::Subscriber))?;
    let (before, start) = (run.cpu()?, Instant::now());
    fleet.connect((0..count).map(|number| Role::Subscriber(number % CHANNELS)))?;
    let (elapsed, cpu) = (start.elapsed(), run.cpu()? - before);
    run.add(SCENARIO, "CPU µs per connection", "µs", cpu.total() * 1e6 / f64::from(count));
    run.add(SCENARIO, "user-space CPU µs per connection", "µs", cpu.user * 1e6 / f64::from(count));
    run.add(SCENARIO, "connections a second", "1/s", f64::from(count) / elapsed.as_secs_f64());
    Ok(())
}

/// Scenario F: all clients are disconnected, miss 50 messages each, reconnect and resume.
pub(super) fn reconnect(run: &mut Run<'_>) -> Result<()> {
    const SCENARIO: &str = "F, reconnect storm with 50 missed messages each";
    let count: u32 = run.pick(2_000, 9_000);
    let mut fleet = run.fleet()?;
    let each = count / CHANNELS;
    let mut traffic = Traffic::open(&mut fleet, CHANNELS, each, 128)?;
    traffic.run(&mut fleet, u64::from(CHANNELS), Flow::InFlight(64), None)?;
    let positions = fleet.close(0..count as usize);
    traffic.publish_without_subscribers(&mut fleet, u64::from(CHANNELS) * MISSED)?;

    let resumes: Vec<(Role, Option<Position>, u64)> = positions
        .into_iter()
        .enumerate()
        .map(|(index, position)| (Role::Subscriber(index as u32 % CHANNELS), position, 1))
        .collect();
    let (before, start) = (run.cpu()?, Instant::now());
    let (mut replayed, expected) = (0, u64::from(count) * MISSED);
    fleet.connect_since(resumes, &mut |_| replayed += 1)?;
    while replayed < expected {
        ensure!(
            start.elapsed() < Duration::from_secs(60),
            "only {replayed} of {expected} missed messages arrived within 60 s"
        );
        fleet.poll(Duration::from_millis(100), &mut |_| replayed += 1)?;
    }
    let (elapsed, cpu) = (start.elapsed(), run.cpu()? - before);
    run.add(SCENARIO, "time until all are served", "s", elapsed.as_secs_f64());
    run.add(SCENARIO, "CPU µs per connection", "µs", cpu.total() * 1e6 / f64::from(count));
    Ok(())
}
