//! The scenarios A to K. Each of them runs on a fresh server and records its figures in [`Results`].

mod connecting;
mod fanout;
mod growth;
mod http;
mod memory;
mod peak;
mod slow;

use crate::{
    curves::Curves,
    kind::Kind,
    load::{Fleet, dialect::Dialect},
    process::Cpu,
    results::Results,
    servers::{Programs, Server},
};
use anyhow::{Context as _, Result};
use clap::ValueEnum;
use std::time::Duration;

/// The name of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// One channel with 1,000 subscribers, with 64 messages in flight and with one.
    A,
    /// 1,000 channels with 10 subscribers each.
    B,
    /// 50 messages a second on one channel with 1,000 subscribers.
    C,
    /// Scenario C beside two loops that compute without a pause.
    CBusy,
    /// Memory of idle subscribed connections.
    D,
    /// Connecting as fast as possible.
    E,
    /// All clients reconnect and resume.
    F,
    /// One of 1,000 subscribers does not read.
    G,
    /// Large payloads.
    H,
    /// Publishing by HTTP.
    I,
    /// Cost and memory by the number of subscribers and of channels.
    J,
    /// Memory after a peak of connections or of publications.
    K,
}

/// One run of a scenario on one server.
pub(crate) struct Run<'a> {
    pub(crate) kind: Kind,
    pub(crate) server: Server,
    pub(crate) programs: &'a Programs,
    pub(crate) results: &'a mut Results,
    pub(crate) curves: &'a mut Curves,
    pub(crate) quick: bool,
    /// The time for which scenario D leaves the connections idle.
    pub(crate) idle: Duration,
}

impl Run<'_> {
    fn add(&mut self, scenario: &'static str, name: &str, unit: &'static str, value: f64) {
        self.results.add(scenario, name, unit, self.kind.subject(), value);
    }

    fn fleet(&self) -> Result<Fleet> {
        let fleet = Fleet::new(&[self.server.address], self.kind.dialect())?;
        Ok(fleet.with_tls(self.server.tls.clone()))
    }

    /// Replaces the server by a new process, which remembers nothing.
    fn restart(&mut self) -> Result<()> {
        self.restart_with("")
    }

    /// Like [`Self::restart`], with further lines of a relay's configuration.
    fn restart_with(&mut self, settings: &str) -> Result<()> {
        let server = Server::start_with(self.kind, self.programs, settings)?;
        self.server = server.context("the server is not installed")?;
        Ok(())
    }

    fn cpu(&self) -> Result<Cpu> {
        Cpu::of(self.server.process())
    }

    /// Returns `few` in a quick run, otherwise `many`.
    fn pick<T>(&self, few: T, many: T) -> T {
        if self.quick { few } else { many }
    }
}

impl Scenario {
    /// Returns whether the scenario applies to this server.
    pub(crate) fn applies_to(self, kind: Kind) -> bool {
        match self {
            Self::A | Self::D | Self::E => true,
            Self::K => kind.dialect() == Dialect::Sealwire,
            // TLS changes nothing that the other scenarios measure.
            _ if kind.has_tls() => false,
            Self::B | Self::C | Self::CBusy => true,
            Self::J => !kind.is_peer(),
            Self::H => !kind.is_peer() || kind == Kind::Ws,
            Self::F | Self::G | Self::I => !kind.is_peer() && !kind.is_limit(),
        }
    }

    pub(crate) fn run(self, run: &mut Run<'_>) -> Result<()> {
        match self {
            Self::A => fanout::flat_out(run),
            Self::B => fanout::many_channels(run),
            Self::C => fanout::paced(run, "C, 50 a second, 1 × 1,000"),
            Self::CBusy => fanout::paced_beside_busy_loops(run),
            Self::D => memory::idle(run),
            Self::E => connecting::connect(run),
            Self::F => connecting::reconnect(run),
            Self::G => slow::slow_consumer(run),
            Self::H => fanout::large(run),
            Self::I => http::publish(run),
            Self::J => growth::grow(run),
            Self::K => peak::return_memory(run),
        }
    }
}
