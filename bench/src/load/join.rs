//! Subscribes connections to many channels.

use super::Fleet;
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

/// The number of joins that wait for their answer at the same time.
const IN_FLIGHT: u64 = 256;
const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Subscribes to each channel on the connection that `holder` returns for it, and returns the time until all are
/// confirmed.
pub(crate) fn join(fleet: &mut Fleet, channels: u32, holder: impl Fn(u32) -> usize) -> Result<Duration> {
    let start = Instant::now();
    let before = fleet.confirmed();
    let (mut sent, mut confirmed, mut last_progress) = (0, 0, start);
    while confirmed < u64::from(channels) {
        while sent < channels && u64::from(sent) < confirmed + IN_FLIGHT {
            fleet.add_subscription(holder(sent), sent)?;
            sent += 1;
        }
        fleet.poll(Duration::from_millis(100), &mut |_| {})?;
        let now_confirmed = fleet.confirmed() - before;
        if now_confirmed > confirmed {
            (confirmed, last_progress) = (now_confirmed, Instant::now());
        }
        let waiting = u64::from(sent) - confirmed;
        ensure!(last_progress.elapsed() < STALL_TIMEOUT, "{waiting} joins were not confirmed");
    }
    Ok(start.elapsed())
}
