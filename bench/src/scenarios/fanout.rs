//! Scenarios A, B, C and H: messages to many subscribers.

use super::Run;
use crate::load::{Flow, Traffic, latency::Latencies};
use anyhow::Result;
use std::time::{Duration, Instant};

const SIZE: usize = 128;
const CPU: &str = "CPU s per million deliveries";
const USER: &str = "user-space CPU s per million deliveries";

/// Repeats `messages` for at least 3 s (1 s in a quick run), and records the cost of a million deliveries.
fn measure(
    run: &mut Run<'_>,
    scenario: &'static str,
    (channels, subscribers, size): (u32, u32, usize),
    (messages, flow): (u64, Flow),
) -> Result<(f64, Latencies)> {
    let mut fleet = run.fleet()?;
    let mut traffic = Traffic::open(&mut fleet, channels, subscribers, size)?;
    traffic.run(&mut fleet, messages, flow, None)?;
    let (before, delivered, start) = (run.cpu()?, traffic.deliveries(), Instant::now());
    let mut latencies = Latencies::new();
    let enough = run.pick(Duration::from_secs(1), Duration::from_secs(3));
    while start.elapsed() < enough {
        traffic.run(&mut fleet, messages, flow, Some(&mut latencies))?;
    }
    let (elapsed, cpu) = (start.elapsed(), run.cpu()? - before);
    let millions = (traffic.deliveries() - delivered) as f64 / 1e6;
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

pub(super) fn paced(run: &mut Run<'_>) -> Result<()> {
    const SCENARIO: &str = "C, 50 a second, 1 × 1,000";
    let (_, latencies) = measure(run, SCENARIO, (1, 1000, SIZE), (50, Flow::Paced(50.0)))?;
    for (name, quantile) in [("latency p50", 0.5), ("latency p99", 0.99), ("latency p99.9", 0.999)] {
        run.add(SCENARIO, name, "ms", latencies.quantile(quantile));
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
