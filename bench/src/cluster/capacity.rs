//! The scenario capacity: the processor time that a publication costs relays and NATS servers, by the number of servers, relays
//! and streams; and how much one core of a relay carries.

use super::{Arrangement, Run, Shape};
use crate::load::{Fleet, Flow, Traffic, dialect::Dialect};
use anyhow::Result;
use std::{
    thread,
    time::{Duration, Instant},
};

const PACED: &str = "capacity, 500 publications a second, one subscriber on each relay";
const FLAT_OUT: &str = "capacity, 64 publications in flight, one subscriber on each relay";
const FANOUT: &str = "capacity, 50 publications a second to 300 subscribers on each relay";
const BYTES: &str = "capacity, 16 publications of 16 KiB in flight, one subscriber on each relay";
const IDLE: &str = "capacity, without any traffic";
/// The bytes of a message, and of a large one.
const SIZE: usize = 128;
const LARGE: usize = 16 * 1024;
const CHANNELS: u32 = 64;
/// The shapes that are compared. The first is what the others are compared with.
const SHAPES: [Shape; 8] = [
    Shape::EMBEDDED,
    Shape { servers: 1, relays: 1, streams: 4 },
    Shape { servers: 3, relays: 1, streams: 4 },
    Shape { servers: 3, relays: 2, streams: 4 },
    Shape { servers: 3, relays: 3, streams: 4 },
    Shape { servers: 3, relays: 2, streams: 1 },
    Shape { servers: 3, relays: 2, streams: 16 },
    Shape { servers: 1, relays: 2, streams: 4 },
];

/// The traffic of one measurement: bytes of a message, channels, subscribers of each channel on each relay, and the flow.
#[derive(Clone, Copy)]
struct Load {
    scenario: &'static str,
    size: usize,
    channels: u32,
    subscribers: u32,
    flow: Flow,
}

pub(super) fn run(run: &mut Run<'_>) -> Result<()> {
    for shape in run.pick(&SHAPES[1..2], &SHAPES) {
        let arrangement = run.start(*shape)?;
        idle(run, *shape, &arrangement)?;
        let rate = run.pick(100.0, 500.0);
        let flow = Flow::Paced(rate);
        let paced = Load { scenario: PACED, size: SIZE, channels: CHANNELS, subscribers: 1, flow };
        let flat_out = Load { scenario: FLAT_OUT, flow: Flow::InFlight(64), ..paced };
        let bytes = Load { scenario: BYTES, size: LARGE, flow: Flow::InFlight(16), ..paced };
        let (subscribers, flow) = (run.pick(50, 300), Flow::Paced(50.0));
        let fanout = Load { scenario: FANOUT, channels: 1, subscribers, flow, ..paced };
        for load in [paced, flat_out, bytes, fanout] {
            measure(run, *shape, &arrangement, &load)?;
        }
    }
    Ok(())
}

/// Records the processor time of processes that only keep the cluster together.
fn idle(run: &mut Run<'_>, shape: Shape, arrangement: &Arrangement) -> Result<()> {
    let time = run.pick(Duration::from_millis(200), Duration::from_secs(10));
    let before = (arrangement.relay_cpu()?, arrangement.nats_cpu()?);
    thread::sleep(time);
    let relays = (arrangement.relay_cpu()? - before.0).total();
    let nats = (arrangement.nats_cpu()? - before.1).total();
    let per_second = |cpu: f64| cpu * 1e3 / time.as_secs_f64();
    run.add(IDLE, "relays' CPU ms per second", "ms", shape, per_second(relays));
    run.add(IDLE, "NATS servers' CPU ms per second", "ms", shape, per_second(nats));
    Ok(())
}

fn measure(run: &mut Run<'_>, shape: Shape, arrangement: &Arrangement, load: &Load) -> Result<()> {
    let Load { scenario, size, channels, subscribers, flow } = *load;
    let addresses = arrangement.addresses();
    // The subscribers of a channel take turns at the relays; the publisher is on the first one.
    let mut fleet = Fleet::new(&addresses, Dialect::Sealwire)?.with_run_length(channels);
    let subscribers = subscribers * u32::try_from(addresses.len())?;
    let mut traffic = Traffic::open(&mut fleet, channels, subscribers, size)?;
    let chunk = match flow {
        Flow::Paced(rate) => rate as u64,
        Flow::InFlight(_) if size == LARGE => 100,
        Flow::InFlight(_) => 1_000,
    };
    traffic.run(&mut fleet, chunk.min(100), flow, None)?;
    let before = (arrangement.relay_cpu()?, arrangement.nats_cpu()?);
    let (delivered, start) = (traffic.deliveries(), Instant::now());
    let enough = run.pick(Duration::from_millis(500), Duration::from_secs(4));
    while start.elapsed() < enough {
        traffic.run(&mut fleet, chunk, flow, None)?;
    }
    let elapsed = start.elapsed().as_secs_f64();
    let relays = (arrangement.relay_cpu()? - before.0).total() * 1e6;
    let nats = (arrangement.nats_cpu()? - before.1).total() * 1e6;
    let deliveries = (traffic.deliveries() - delivered) as f64;
    let publications = deliveries / f64::from(subscribers);
    let mut figures = vec![
        ("relays' CPU µs per publication", "µs", relays / publications),
        ("NATS servers' CPU µs per publication", "µs", nats / publications),
        ("publications a second", "1/s", publications / elapsed),
    ];
    if size == LARGE {
        let megabytes = publications * LARGE as f64 / 1e6;
        figures.push(("megabytes a second", "MB/s", megabytes / elapsed));
        figures.push(("relays' CPU ms per megabyte", "ms", relays / 1e3 / megabytes));
        figures.push(("NATS servers' CPU ms per megabyte", "ms", nats / 1e3 / megabytes));
    } else if channels == 1 {
        figures.push(("relays' CPU µs per delivery", "µs", relays / deliveries));
        figures.push(("deliveries a second for one core of a relay", "1/s", 1e6 * deliveries / relays));
    } else if addresses.len() == 1 {
        figures.push(("publications a second for one core of a relay", "1/s", 1e6 * publications / relays));
    }
    run.add_all(scenario, shape, figures);
    Ok(())
}
