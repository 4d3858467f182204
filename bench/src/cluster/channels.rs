//! The scenario channels: very many channels with one subscriber each, over two relays.

use super::{Run, Shape};
use crate::{
    load::{Fleet, Role, dialect::Dialect, join},
    open_files,
};
use anyhow::Result;
use std::{thread, time::Duration};

const SCENARIO: &str = "channels, one subscriber each, over two relays";
/// The subscriptions of a connection.
const SUBSCRIPTIONS: u32 = 50;
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
    let elapsed = join(&mut fleet, channels, |channel| (channel / SUBSCRIPTIONS) as usize)?;
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
