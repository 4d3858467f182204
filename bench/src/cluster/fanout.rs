//! The scenario fanout: 50 publications a second to 1,000 subscribers on each of two relays. Beside it are two relays with
//! embedded brokers, each of which gets every publication from a publisher of its own: the same processes and deliveries
//! without NATS.

use super::{Run, Shape};
use crate::load::{Fleet, Flow, Traffic, dialect::Dialect, latency::Latencies};
use anyhow::Result;
use std::time::{Duration, Instant};

const SCENARIO: &str = "fanout, 50 a second to one channel";
const CPU: &str = "relays' CPU µs per delivery";
const MEDIAN: &str = "latency p50";
const RATE: f64 = 50.0;
const SIZE: usize = 128;

pub(super) fn run(run: &mut Run<'_>) -> Result<()> {
    for shape in [Shape::EMBEDDED, Shape::EMBEDDED_PAIR, Shape::CLUSTER] {
        measure(run, shape)?;
    }
    let median = |name: &str, shape: Shape| run.results.median(SCENARIO, name, &shape.subject());
    let cpu = median(CPU, Shape::CLUSTER) / median(CPU, Shape::EMBEDDED_PAIR);
    let added = median(MEDIAN, Shape::CLUSTER) - median(MEDIAN, Shape::EMBEDDED_PAIR);
    if [Shape::EMBEDDED_PAIR, Shape::CLUSTER].iter().any(|shape| median(MEDIAN, *shape) > 1e3 / RATE) {
        eprintln!(
            "  the machine is overloaded: messages wait for the next ones and share writes, so the relays' CPU per delivery \
             cannot be compared; repeat it when nothing else runs"
        );
    }
    let text = "fanout: relays' CPU per delivery, to that of two relays with embedded brokers";
    run.aims.median_at_most(text, cpu, 1.3, "times");
    let text = "fanout: median latency beyond that of two relays with embedded brokers";
    run.aims.median_at_most(text, added, 3.0, "ms");
    Ok(())
}

fn measure(run: &mut Run<'_>, shape: Shape) -> Result<()> {
    let subscribers = run.pick(100, 1_000) * u32::try_from(shape.relays)?;
    let arrangement = run.start(shape)?;
    let mut fleet = Fleet::new(&arrangement.addresses(), Dialect::Sealwire)?;
    // A relay with the embedded broker delivers only what is published to it.
    let publishers = if shape.servers == 0 { shape.relays } else { 1 };
    let mut traffic = Traffic::open_at_all(&mut fleet, subscribers, SIZE, u32::try_from(publishers)?)?;
    let second = RATE as u64;
    traffic.run(&mut fleet, second, Flow::Paced(RATE), None)?;
    let (relays, nats) = (arrangement.relay_cpu()?, arrangement.nats_cpu()?);
    let (delivered, start) = (traffic.deliveries(), Instant::now());
    let mut latencies = Latencies::new();
    let enough = run.pick(Duration::from_secs(1), Duration::from_secs(10));
    while start.elapsed() < enough {
        traffic.run(&mut fleet, second, Flow::Paced(RATE), Some(&mut latencies))?;
    }
    let deliveries = (traffic.deliveries() - delivered) as f64;
    let relays = (arrangement.relay_cpu()? - relays).total();
    let nats = (arrangement.nats_cpu()? - nats).total();
    let figures = [
        (CPU, "µs", relays * 1e6 / deliveries),
        ("NATS servers' CPU µs per publication", "µs", nats * 1e6 / (deliveries / f64::from(subscribers))),
        (MEDIAN, "ms", latencies.quantile(0.5)),
        ("latency p99", "ms", latencies.quantile(0.99)),
    ];
    run.add_all(SCENARIO, shape, figures);
    Ok(())
}
