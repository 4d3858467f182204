//! Scenario J: the cost of a delivery and the memory by the number of subscribers of a channel, by the number of channels
//! and by the number of connections.

use super::{Run, fanout};
use crate::{
    curves::Curve,
    load::{Fleet, Flow, Role, Traffic, join},
    process,
};
use anyhow::Result;
use std::{thread, time::Duration};

const SIZE: usize = 128;
/// The messages in flight.
const WINDOW: u64 = 64;
/// The connections that hold the channels, if there are as many channels.
const HOLDERS: u32 = 2_000;
const SUBSCRIBERS: &str = "J, one channel with many subscribers, 64 in flight";
const CHANNELS: &str = "J, many channels with one subscriber each, 64 in flight";
const CPU: &str = "CPU s per million deliveries";
const IDLE: &str = "resident memory before the first message";
const AFTER: &str = "resident memory with the messages of the measurement";

/// Runs the parts that apply to the server, each with more and more of its variable and each on a new process.
pub(super) fn grow(run: &mut Run<'_>) -> Result<()> {
    for count in run.pick(&[1, 10, 100][..], &[1, 10, 100, 1_000, 10_000]) {
        run.restart()?;
        let mut fleet = run.fleet()?;
        let traffic = Traffic::open(&mut fleet, 1, *count, SIZE)?;
        Variable { scenario: SUBSCRIBERS, name: "subscribers", value: *count }
            .measure(run, fleet, traffic)?;
    }
    if run.kind.is_limit() {
        return Ok(());
    }
    for count in run.pick(&[10, 100, 1_000][..], &[10, 100, 1_000, 10_000, 100_000]) {
        run.restart()?;
        let mut fleet = run.fleet()?;
        let holders = HOLDERS.min(*count);
        let first = fleet.connect((0..holders).map(|_| Role::Listener))?;
        join(&mut fleet, *count, |channel| first + (channel % holders) as usize)?;
        let traffic = Traffic::to_listeners(&mut fleet, *count, SIZE)?;
        Variable { scenario: CHANNELS, name: "channels", value: *count }.measure(run, fleet, traffic)?;
    }
    Ok(())
}

/// A value of the variable of a curve.
struct Variable {
    scenario: &'static str,
    name: &'static str,
    value: u32,
}

impl Variable {
    fn measure(&self, run: &mut Run<'_>, mut fleet: Fleet, mut traffic: Traffic) -> Result<()> {
        self.add_memory(run, IDLE);
        if self.scenario == CHANNELS {
            // Every channel gets a message first.
            traffic.run(&mut fleet, u64::from(self.value), Flow::InFlight(WINDOW), None)?;
        }
        let cost = fanout::cost(run, &mut fleet, &mut traffic, (WINDOW, Flow::InFlight(WINDOW)), None)?;
        self.add(run, CPU, "s", cost.cpu.total() / cost.millions);
        self.add_memory(run, AFTER);
        Ok(())
    }

    fn add_memory(&self, run: &mut Run<'_>, quantity: &'static str) {
        // The pause lets the server release what only the last moments needed.
        thread::sleep(Duration::from_millis(500));
        self.add(run, quantity, "MiB", process::resident(run.server.process()) / f64::from(1 << 20));
    }

    fn add(&self, run: &mut Run<'_>, quantity: &'static str, unit: &'static str, value: f64) {
        let curve = Curve { scenario: self.scenario, quantity, unit, variable: self.name };
        run.curves.add(curve, run.kind.subject(), self.value, value);
    }
}
