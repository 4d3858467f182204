//! Scenario K: the memory that the relay keeps after a peak of connections or of publications.

use super::Run;
use crate::{
    load::{Fleet, Flow, Role, Traffic},
    process,
};
use anyhow::Result;
use std::{
    ops::Range,
    time::{Duration, Instant},
};

const CHANNELS: u32 = 1_000;
const CYCLES: u32 = 3;
/// The seconds after the end of a peak at which the memory is read.
const AFTER: [f64; 4] = [0.5, 12.0, 30.0, 60.0];
const MESSAGE_BYTES: usize = 1_024;
/// The replay window of the peak of publications, which ends for all messages before the second read.
const REPLAY_WINDOW: &str = "replay_window = \"10s\"\n";

/// Runs the peaks, each on a new process.
pub(super) fn return_memory(run: &mut Run<'_>) -> Result<()> {
    connections(run)?;
    survivors(run)?;
    if run.kind.has_tls() { Ok(()) } else { publications(run) }
}

/// Connections open and close, three times.
fn connections(run: &mut Run<'_>) -> Result<()> {
    const SCENARIO: &str = "K, peaks of connections that all close";
    read(run, SCENARIO, "before");
    for cycle in 1..=CYCLES {
        let mut fleet = run.fleet()?;
        connect(run, &mut fleet)?;
        read(run, SCENARIO, &format!("peak {cycle}"));
        let ended = Instant::now();
        drop(fleet);
        // All but the last cycle are short, so that the next peak comes while the process still returns memory.
        let times = if cycle == CYCLES { times(run) } else { &AFTER[..2] };
        read_after(run, &mut run.fleet()?, (SCENARIO, &format!("peak {cycle}")), (ended, times))?;
    }
    Ok(())
}

/// Connections open, and every tenth stays.
fn survivors(run: &mut Run<'_>) -> Result<()> {
    const SCENARIO: &str = "K, a peak of connections, a tenth of which stay";
    run.restart()?;
    read(run, SCENARIO, "before");
    let mut fleet = run.fleet()?;
    let all = connect(run, &mut fleet)?;
    read(run, SCENARIO, "peak");
    let ended = Instant::now();
    for index in all.filter(|index| index % 10 != 0) {
        fleet.close(index..index + 1);
    }
    let times = times(run);
    read_after(run, &mut fleet, (SCENARIO, "peak"), (ended, times))
}

/// Publications fill the replay cache, until the replay window has passed for all of them.
fn publications(run: &mut Run<'_>) -> Result<()> {
    const SCENARIO: &str = "K, a peak of publications that the replay cache keeps for 10 s";
    run.restart_with(REPLAY_WINDOW)?;
    let messages: u64 = run.pick(20_000, 200_000);
    let mut fleet = run.fleet()?;
    let mut traffic = Traffic::open(&mut fleet, CHANNELS, 1, MESSAGE_BYTES)?;
    read(run, SCENARIO, "before");
    traffic.run(&mut fleet, messages, Flow::InFlight(256), None)?;
    let ended = Instant::now();
    read(run, SCENARIO, "peak");
    let times = times(run);
    read_after(run, &mut fleet, (SCENARIO, "peak"), (ended, times))
}

/// Opens the connections of a peak, and leaves them idle for half a second.
fn connect(run: &Run<'_>, fleet: &mut Fleet) -> Result<Range<usize>> {
    let count: u32 = run.pick(2_000, 10_000);
    let first = fleet.connect((0..count).map(|number| Role::Subscriber(number % CHANNELS)))?;
    idle_until(fleet, Instant::now() + Duration::from_millis(500))?;
    Ok(first..first + count as usize)
}

fn times(run: &Run<'_>) -> &'static [f64] {
    if run.quick { &AFTER[..2] } else { &AFTER }
}

/// Reads the memory at each of `times`, in seconds since `ended`.
fn read_after(
    run: &mut Run<'_>,
    fleet: &mut Fleet,
    (scenario, peak): (&'static str, &str),
    (ended, times): (Instant, &[f64]),
) -> Result<()> {
    for seconds in times {
        idle_until(fleet, ended + Duration::from_secs_f64(*seconds))?;
        read(run, scenario, &format!("{peak}, after {seconds:04.1} s"));
    }
    Ok(())
}

/// Answers the pings of the server until a moment.
fn idle_until(fleet: &mut Fleet, end: Instant) -> Result<()> {
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        fleet.poll(left.min(Duration::from_millis(100)), &mut |_| {})?;
    }
    Ok(())
}

fn read(run: &mut Run<'_>, scenario: &'static str, moment: &str) {
    let resident = process::resident(run.server.process()) / f64::from(1 << 20);
    run.add(scenario, &format!("resident memory {moment}"), "MiB", resident);
}
