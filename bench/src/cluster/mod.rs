//! The scenarios of a cluster: two relays on three NATS servers, as real processes. Each records its figures in [`Results`]
//! and its aims in [`Aims`].

mod arrangement;
mod capacity;
mod channels;
mod fanout;
mod leader;
mod moving;

use crate::{aims::Aims, open_files, results::Results, servers::Server};
use anyhow::{Context as _, Result, bail, ensure};
use arrangement::{Arrangement, Shape};
use clap::ValueEnum;
use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// The name of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// A relay is killed, and all its clients move to another one.
    Move,
    /// The leader of the busiest stream is killed under publications.
    Leader,
    /// Fan-out through NATS, beside the embedded broker.
    Fanout,
    /// Memory and joins of very many channels.
    Channels,
    /// The cost of a publication and of a delivery, by the number of relays, servers and streams.
    Capacity,
}

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Scenarios to run, separated by commas [default: all].
    #[arg(long, value_delimiter = ',', ignore_case = true)]
    scenario: Vec<Scenario>,
    /// Path of the relay, built with optimisation.
    #[arg(long)]
    relay: PathBuf,
    /// Number of runs of each scenario.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=20))]
    runs: u32,
    /// Use few clients, channels and messages.
    #[arg(long)]
    quick: bool,
    /// Clients of the scenario move [default: 5000; quick: 50].
    #[arg(long, value_parser = clap::value_parser!(u32).range(10..=50_000))]
    clients: Option<u32>,
    /// Channels of the scenario channels [default: 100000; quick: 2000].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    channels: Option<u32>,
    /// Folder for results.json and results.md [default: none].
    #[arg(long)]
    out: Option<PathBuf>,
}

/// One run of a scenario.
struct Run<'a> {
    options: &'a Options,
    results: &'a mut Results,
    aims: &'a mut Aims,
}

impl Run<'_> {
    /// Returns `few` in a quick run, otherwise `many`.
    fn pick<T>(&self, few: T, many: T) -> T {
        if self.options.quick { few } else { many }
    }

    fn start(&self, shape: Shape) -> Result<Arrangement> {
        Arrangement::start(&self.options.relay, shape)
    }

    fn add(&mut self, scenario: &'static str, name: &str, unit: &'static str, shape: Shape, value: f64) {
        self.results.add(scenario, name, unit, shape.subject(), value);
    }

    /// Adds figures of one arrangement, each with its name, unit and value.
    fn add_all<'a>(
        &mut self,
        scenario: &'static str,
        shape: Shape,
        figures: impl IntoIterator<Item = (&'a str, &'static str, f64)>,
    ) {
        for (name, unit, value) in figures {
            self.add(scenario, name, unit, shape, value);
        }
    }
}

impl Scenario {
    fn run(self, run: &mut Run<'_>) -> Result<()> {
        match self {
            Self::Move => moving::run(run),
            Self::Leader => leader::run(run),
            Self::Fanout => fanout::run(run),
            Self::Channels => channels::run(run),
            Self::Capacity => capacity::run(run),
        }
    }
}

/// Runs the scenarios, and prints their figures and aims. Fails if a scenario cannot be measured or breaks a guarantee.
pub(crate) fn run(options: &Options) -> Result<()> {
    open_files::raise_limit()?;
    ensure_nats_server()?;
    let scenarios = if options.scenario.is_empty() { Scenario::value_variants() } else { &options.scenario };
    let (mut results, mut aims, mut failures) = (Results::default(), Aims::default(), Vec::new());
    for number in 1..=options.runs {
        for scenario in scenarios {
            eprintln!("{scenario:?} {number}/{}", options.runs);
            let start = Instant::now();
            let mut run = Run { options, results: &mut results, aims: &mut aims };
            if let Err(error) = scenario.run(&mut run) {
                eprintln!("  failed: {error:#}");
                failures.push(format!("{scenario:?}: {error:#}"));
            }
            eprintln!("  {:.0} s", seconds(start.elapsed()));
        }
    }
    let text = results.summary() + &aims.table();
    println!("{text}");
    if let Some(folder) = &options.out {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(folder.join("results.json"), results.json()? + "\n")?;
        fs::write(folder.join("results.md"), text)?;
    }
    failures.extend(aims.broken());
    if !failures.is_empty() {
        bail!("{}", failures.join("\n"));
    }
    Ok(())
}

fn ensure_nats_server() -> Result<()> {
    let program = std::env::var_os("SEALWIRE_NATS_SERVER").unwrap_or_else(|| "nats-server".into());
    let ran = Command::new(&program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    ensure!(
        ran.is_ok_and(|status| status.success()),
        "{} does not run; use 'cargo xtask bench --cluster', which installs nats-server, or set SEALWIRE_NATS_SERVER to its \
         path",
        program.display()
    );
    Ok(())
}

/// Returns seconds for tables.
fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

/// Returns an element of a sorted list by its quantile, in seconds.
fn quantile(sorted: &[Duration], quantile: f64) -> f64 {
    let index = (sorted.len() as f64 * quantile).ceil() as usize;
    sorted.get(index.max(1) - 1).map_or(f64::NAN, |time| seconds(*time))
}
