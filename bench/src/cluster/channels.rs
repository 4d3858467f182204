//! The scenario channels: very many channels with one subscriber each, over two relays.

use super::{Run, Shape};
use crate::{
    load::{Fleet, Role, dialect::Dialect},
    open_files,
};
use anyhow::{Result, ensure};
use std::{
    thread,
    time::{Duration, Instant},
};

const SCENARIO: &str = "channels, one subscriber each, over two relays";
/// The subscriptions of a connection.
const SUBSCRIPTIONS: u32 = 50;
/// The number of joins that wait for their answer at the same time.
const IN_FLIGHT: u64 = 256;
const STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// The time in which processes settle before their memory is read.
const SETTLE: Duration = Duration::from_secs(1);
const MIB: f64 = 1024.0 * 1024.0;

pub(super) fn run(run: &mut Run<'_>) -> Result<()> {
    let channels = run.options.channels.unwrap_or_else(|| run.pick(2_000, 100_000));
    let connections = channels.div_ceil(SUBSCRIPTIONS);
    open_files::ensure(u64::from(connections), open_files::raise_limit()?)?;
    let arrangement = run.start(Shape::CLUSTER)?;
    let mut fleet = Fleet::new(&arrangement.addresses(), Dialect::Sealwire)?;
    // Connections without a channel at first.
    fleet.connect((0..connections).map(|_| Role::Publisher(0)))?;
    thread::sleep(SETTLE);
    let before = (arrangement.relay_memory(), arrangement.nats_memory());
    let cpu = (arrangement.relay_cpu()?, arrangement.nats_cpu()?);
    let elapsed = join(&mut fleet, channels)?;
    let cpu = (arrangement.relay_cpu()? - cpu.0, arrangement.nats_cpu()? - cpu.1);
    thread::sleep(SETTLE);
    let after = (arrangement.relay_memory(), arrangement.nats_memory());
    let each = |value: f64| value / f64::from(channels);
    let figures = [
        ("joins a second", "1/s", f64::from(channels) / elapsed.as_secs_f64()),
        ("relays' CPU µs per join", "µs", each(cpu.0.total() * 1e6)),
        ("NATS servers' CPU µs per join", "µs", each(cpu.1.total() * 1e6)),
        ("memory of both relays before", "MiB", before.0 / MIB),
        ("memory of both relays after", "MiB", after.0 / MIB),
        ("memory of both relays per channel", "bytes", each(after.0 - before.0)),
        ("memory of the NATS servers before", "MiB", before.1 / MIB),
        ("memory of the NATS servers after", "MiB", after.1 / MIB),
        ("memory of the NATS servers per channel", "bytes", each(after.1 - before.1)),
    ];
    run.add_all(SCENARIO, Shape::CLUSTER, figures);
    Ok(())
}

/// Joins every channel on one of the connections, and returns the time until all are confirmed.
fn join(fleet: &mut Fleet, channels: u32) -> Result<Duration> {
    let start = Instant::now();
    let (mut sent, mut confirmed, mut last_progress) = (0, 0, start);
    while confirmed < u64::from(channels) {
        while sent < channels && u64::from(sent) < confirmed + IN_FLIGHT {
            fleet.add_subscription((sent / SUBSCRIPTIONS) as usize, sent)?;
            sent += 1;
        }
        fleet.poll(Duration::from_millis(100), &mut |_| {})?;
        let now_confirmed = fleet.confirmed();
        if now_confirmed > confirmed {
            (confirmed, last_progress) = (now_confirmed, Instant::now());
        }
        let waiting = u64::from(sent) - confirmed;
        ensure!(last_progress.elapsed() < STALL_TIMEOUT, "{waiting} joins were not confirmed");
    }
    Ok(start.elapsed())
}
