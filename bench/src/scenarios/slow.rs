//! Scenario G: one of 1,000 subscribers does not read.

use super::Run;
use crate::load::{Flow, Role, Traffic, latency::Latencies};
use anyhow::Result;

/// The number of channels of the measured traffic. It is also the number of the channel that floods the slow
/// subscriber.
const CHANNELS: u32 = 1;

pub(super) fn slow_consumer(run: &mut Run<'_>) -> Result<()> {
    const SCENARIO: &str = "G, one of 1,000 subscribers does not read";
    let mut fleet = run.fleet()?;
    let mut traffic = Traffic::open(&mut fleet, CHANNELS, 999, 128)?;
    let messages = run.pick(100, 200);
    let measure = |name: &str, run: &mut Run<'_>, traffic: &mut Traffic, fleet: &mut _| -> Result<()> {
        let mut latencies = Latencies::new();
        traffic.run(fleet, messages, Flow::Paced(50.0), Some(&mut latencies))?;
        run.add(SCENARIO, name, "ms", latencies.quantile(0.99));
        Ok(())
    };
    traffic.run(&mut fleet, 20, Flow::Paced(50.0), None)?;
    measure("p99 of the others, before", run, &mut traffic, &mut fleet)?;
    // The slow subscriber has two subscriptions: the measured channel, and a channel that is flooded until the socket
    // and the queue of that subscriber are full.
    let slow = fleet.connect([Role::Subscriber(CHANNELS)])?;
    fleet.add_subscription(slow, 0)?;
    fleet.stop_reading(slow);
    let flooder = fleet.connect([Role::Publisher(CHANNELS)])?;
    let payload = vec![b'.'; 32 * 1024];
    for number in 0..120 {
        fleet.publish(flooder, CHANNELS, (1 << 40) + number, &payload)?;
    }
    fleet.flush(flooder)?;
    measure("p99 of the others, while it is flooded", run, &mut traffic, &mut fleet)?;
    for number in 120..400 {
        fleet.publish(flooder, CHANNELS, (1 << 40) + number, &payload)?;
    }
    fleet.flush(flooder)?;
    measure("p99 of the others, while it is cut off", run, &mut traffic, &mut fleet)?;
    Ok(())
}
