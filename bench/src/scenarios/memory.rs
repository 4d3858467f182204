//! Scenario D: the memory of idle connections with a subscription.

use super::Run;
use crate::{load::Role, process};
use anyhow::Result;
use std::time::{Duration, Instant};

const SCENARIO: &str = "D, idle subscribed connections";
const CHANNELS: u32 = 1000;

pub(super) fn idle(run: &mut Run<'_>) -> Result<()> {
    let (few, many): (u32, u32) = run.pick((2_000, 5_000), (10_000, 19_000));
    let mut fleet = run.fleet()?;
    let roles = |range: std::ops::Range<u32>| range.map(|number| Role::Subscriber(number % CHANNELS));
    let mut resident = [0.0; 2];
    for (slot, range) in resident.iter_mut().zip([0..few, few..many]) {
        fleet.connect(roles(range))?;
        // The pause lets the server release the memory of the handshakes. Its pings are answered meanwhile.
        let start = Instant::now();
        while start.elapsed() < run.idle {
            fleet.poll(Duration::from_millis(100), &mut |_| {})?;
        }
        *slot = process::resident(run.server.process());
    }
    let [at_few, at_many] = resident;
    run.add(
        SCENARIO,
        "resident memory per connection, by the slope",
        "KB",
        (at_many - at_few) / 1024.0 / f64::from(many - few),
    );
    run.add(SCENARIO, &format!("resident memory with {many} connections"), "MB", at_many / 1024.0 / 1024.0);
    Ok(())
}
