//! The processes of a measurement: relays on NATS servers, or a relay with the embedded broker, all directly connected.

use crate::{
    process::{self, Cpu},
    results::Subject,
    servers::Server,
};
use anyhow::{Result, ensure};
use sealwire_tests::{NatsCluster, NatsOptions, http_get};
use std::{
    net::SocketAddr,
    ops::Add as _,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// The time that relays have to follow every stream.
const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// The start of the streams' names.
const PREFIX: &str = "bench";

/// The numbers of processes.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// NATS servers, with a replica of each stream on every one: 1 or 3. Without any, the broker is embedded.
    pub(super) servers: usize,
    pub(super) relays: usize,
    pub(super) streams: usize,
}

impl Shape {
    /// Two relays and three servers, with the default number of streams.
    pub(super) const CLUSTER: Self = Self { servers: 3, relays: 2, streams: 4 };
    /// One relay with the embedded broker.
    pub(super) const EMBEDDED: Self = Self { servers: 0, relays: 1, streams: 0 };
    /// Two relays with embedded brokers, which know nothing of each other.
    pub(super) const EMBEDDED_PAIR: Self = Self { servers: 0, relays: 2, streams: 0 };

    /// Returns the row of tables: smaller shapes first.
    pub(super) fn subject(self) -> Subject {
        let Self { servers, relays, streams } = self;
        Subject::new((servers * 100 + relays) * 100 + streams, self.name())
    }

    fn name(self) -> String {
        let Self { servers, relays, streams } = self;
        let count =
            |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
        match servers {
            0 => format!("Sealwire, {} with the embedded broker", count(relays, "relay")),
            _ => format!(
                "Sealwire, {}, {} with {}",
                count(relays, "relay"),
                count(servers, "NATS server"),
                count(streams, "stream")
            ),
        }
    }
}

/// Running processes, which are killed when the value is dropped.
pub(super) struct Arrangement {
    pub(super) relays: Vec<Server>,
    pub(super) nats: Option<NatsCluster>,
}

impl Arrangement {
    /// Starts the processes and waits until the relays are ready.
    pub(super) fn start(relay: &Path, shape: Shape) -> Result<Self> {
        let nats = (shape.servers > 0).then(|| {
            NatsCluster::start(shape.servers, NatsOptions { direct_routes: true, ..NatsOptions::default() })
        });
        let settings = nats.as_ref().map_or_else(String::new, |nats| {
            format!(
                "broker = \"{}\"\nbroker_prefix = \"{PREFIX}\"\nbroker_streams = {}\nbroker_replicas = {}\n",
                nats.urls(),
                shape.streams,
                shape.servers
            )
        });
        let relays: Result<Vec<_>> = (0..shape.relays).map(|_| Server::relay(relay, &settings)).collect();
        let arrangement = Self { relays: relays?, nats };
        arrangement.await_ready()?;
        Ok(arrangement)
    }

    fn await_ready(&self) -> Result<()> {
        let deadline = Instant::now() + READY_TIMEOUT;
        for relay in &self.relays {
            while http_get(relay.address, "/readyz").is_none_or(|(status, _)| status != 200) {
                ensure!(Instant::now() < deadline, "a relay is not ready:\n{}", relay.log());
                thread::sleep(Duration::from_millis(50));
            }
        }
        Ok(())
    }

    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.relays.iter().map(|relay| relay.address).collect()
    }

    fn servers(&self) -> impl Iterator<Item = u32> {
        let nats = self.nats.iter();
        nats.flat_map(|nats| (0..nats.size()).filter_map(|server| nats.process_id(server)))
    }

    /// Returns the processor time of all relays.
    pub(super) fn relay_cpu(&self) -> Result<Cpu> {
        sum(self.relays.iter().map(Server::process))
    }

    /// Returns the processor time of all running NATS servers.
    pub(super) fn nats_cpu(&self) -> Result<Cpu> {
        sum(self.servers())
    }

    /// Returns the resident memory of all relays, in bytes.
    pub(super) fn relay_memory(&self) -> f64 {
        self.relays.iter().map(|relay| process::resident(relay.process())).sum()
    }

    /// Returns the resident memory of all running NATS servers, in bytes.
    pub(super) fn nats_memory(&self) -> f64 {
        self.servers().map(process::resident).sum()
    }
}

fn sum(mut processes: impl Iterator<Item = u32>) -> Result<Cpu> {
    processes.try_fold(Cpu::default(), |sum, process| Ok(sum.add(Cpu::of(process)?)))
}
