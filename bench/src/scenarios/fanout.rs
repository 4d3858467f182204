//! Scenarios A, B, C, C-busy and H: messages to many subscribers.

use super::Run;
use crate::{
    busy::BusyLoops,
    load::{Fleet, Flow, Traffic, latency::Latencies},
    process::Cpu,
};
use anyhow::Result;
use std::time::{Duration, Instant};

const SIZE: usize = 128;
const CPU: &str = "CPU s per million deliveries";
const USER: &str = "user-space CPU s per million deliveries";

/// The two loops of scenario C-busy, one for each core of the machine that the figures come from.
const BUSY_LOOPS: usize = 2;

/// The cost of deliveries.
pub(super) struct Cost {
    pub(super) cpu: Cpu,
    /// The deliveries in millions.
    pub(super) millions: f64,
    elapsed: Duration,
}

/// Repeats `messages` for at least 3 s (1 s in a quick run), and returns their cost.
pub(super) fn cost(
    run: &Run<'_>,
    fleet: &mut Fleet,
    traffic: &mut Traffic,
    (messages, flow): (u64, Flow),
    mut latencies: Option<&mut Latencies>,
) -> Result<Cost> {
    traffic.run(fleet, messages, flow, None)?;
    let (before, delivered, start) = (run.cpu()?, traffic.deliveries(), Instant::now());
    let enough = run.pick(Duration::from_secs(1), Duration::from_secs(3));
    while start.elapsed() < enough {
        traffic.run(fleet, messages, flow, latencies.as_deref_mut())?;
    }
    let (elapsed, cpu) = (start.elapsed(), run.cpu()? - before);
    Ok(Cost { cpu, millions: (traffic.deliveries() - delivered) as f64 / 1e6, elapsed })
}

/// Records the cost of a million deliveries. Returns the deliveries a second and their latencies.
fn measure(
    run: &mut Run<'_>,
    scenario: &'static str,
    (channels, subscribers, size): (u32, u32, usize),
    (messages, flow): (u64, Flow),
) -> Result<(f64, Latencies)> {
    let mut fleet = run.fleet()?;
    let mut traffic = Traffic::open(&mut fleet, channels, subscribers, size)?;
    let mut latencies = Latencies::new();
    let Cost { cpu, millions, elapsed } =
        cost(run, &mut fleet, &mut traffic, (messages, flow), Some(&mut latencies))?;
    run.add(scenario, CPU, "s", cpu.total() / millions);
    run.add(scenario, USER, "s", cpu.user / millions);
    let rate = millions * 1e6 / elapsed.as_secs_f64();
    run.add(scenario, "deliveries a second", "1/s", rate);
    Ok((rate, latencies))
}

pub(super) fn flat_out(run: &mut Run<'_>) -> Result<()> {
    measure(run, "A, 64 in flight, 1 × 1,000", (1, 1000, SIZE), (64, Flow::InFlight(64)))?;
    measure(run, "A, one in flight, 1 × 1,000", (1, 1000, SIZE), (10, Flow::InFlight(1)))?;
    Ok(())
}

pub(super) fn many_channels(run: &mut Run<'_>) -> Result<()> {
    measure(run, "B, 1,000 × 10", (1000, 10, SIZE), (1000, Flow::InFlight(64)))?;
    Ok(())
}

pub(super) fn paced_beside_busy_loops(run: &mut Run<'_>) -> Result<()> {
    let _loops = BusyLoops::start(BUSY_LOOPS);
    paced(run, "C-busy, 50 a second, 1 × 1,000, beside two busy loops")
}

pub(super) fn paced(run: &mut Run<'_>, scenario: &'static str) -> Result<()> {
    let (_, latencies) = measure(run, scenario, (1, 1000, SIZE), (50, Flow::Paced(50.0)))?;
    for (name, quantile) in [("latency p50", 0.5), ("latency p99", 0.99), ("latency p99.9", 0.999)] {
        run.add(scenario, name, "ms", latencies.quantile(quantile));
    }
    Ok(())
}

pub(super) fn large(run: &mut Run<'_>) -> Result<()> {
    // The 8 messages in flight take at most half of the 1 MiB that the relay queues for one client.
    for (scenario, size) in [("H, 1 KB", 1 << 10), ("H, 16 KB", 16 << 10), ("H, 64 KB", 64 << 10)] {
        let (rate, _) = measure(run, scenario, (1, 100, size), (32, Flow::InFlight(8)))?;
        run.add(scenario, "payload a second", "MB/s", rate * size as f64 / 1e6);
    }
    Ok(())
}
