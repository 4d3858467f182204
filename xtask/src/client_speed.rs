//! `cargo xtask client-speed`: measures the package in Chromium and in Forge functions.

use std::{
    ffi::OsString,
    path::{self, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;

use crate::{chromium::Chromium, files, npm, package, relay, step, workspace::Workspace};

/// Without an option, it measures the start, the rate of delivery, and the cold start.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each selects a measurement")]
pub(crate) struct Options {
    /// The time from importing the package to the first delivered message, phase by phase.
    #[arg(long)]
    start: bool,
    /// The messages per second that a page opens and passes to a callback.
    #[arg(long)]
    receive: bool,
    /// The messages per second beside other clients in the same page, which npm installs.
    #[arg(long)]
    peers: bool,
    /// The cold start of a Forge function that mints a session, beside an empty one.
    #[arg(long)]
    resolver: bool,
    /// A major version of Node.js for --resolver beside the installed one, which npm downloads; may be repeated.
    #[arg(long, value_name = "MAJOR", requires = "resolver")]
    node: Vec<u8>,
    /// Another build to measure beside this one: the folder dist of the package for --start, the tarball for --resolver.
    #[arg(long, value_name = "PATH")]
    baseline: Option<PathBuf>,
}

impl Options {
    /// Returns the scripts in Chromium that measure what is selected.
    fn scripts(&self) -> Vec<&'static str> {
        let all = !(self.start || self.receive || self.peers || self.resolver);
        let selected =
            [("start", self.start || all), ("receive", self.receive || all), ("peers", self.peers)];
        selected.into_iter().filter_map(|(script, is_selected)| is_selected.then_some(script)).collect()
    }

    fn measures_resolver(&self) -> bool {
        self.resolver || !(self.start || self.receive || self.peers)
    }
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    npm::install(workspace)?;
    package::build(workspace)?;
    // The scripts run in the root of the workspace.
    let baseline = options.baseline.as_deref().map(path::absolute).transpose()?;
    let scripts = options.scripts();
    if !scripts.is_empty() {
        let chromium = Chromium::open()?;
        let relay = relay::build_optimized(workspace)?;
        for script in scripts {
            let mut measurement = duct::cmd!("node", format!("tests/e2e/speed/{script}.mjs"))
                .env("SEALWIRE_TEST_RELAY", &relay)
                .env("CHROMIUM", &chromium.browser);
            if script == "peers" {
                measurement = measurement.env("SEALWIRE_PEERS", install_peers(workspace)?);
            }
            if let Some(baseline) = &baseline {
                measurement = measurement.env("SEALWIRE_BASELINE", baseline);
            }
            measurement.dir(&workspace.root).run().context("the measurement failed")?;
        }
    }
    if options.measures_resolver() {
        let mut arguments = vec!["tests/packaging/speed/cold-start.mjs".into()];
        arguments.extend(
            options.node.iter().flat_map(|major| ["--node".into(), OsString::from(major.to_string())]),
        );
        if let Some(baseline) = baseline {
            arguments.extend(["--baseline".into(), baseline.into()]);
        }
        duct::cmd("node", arguments).dir(&workspace.root).run().context("the measurement failed")?;
    }
    Ok(())
}

/// Installs the clients of the peers, and returns their folder.
fn install_peers(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("page-peers");
    let sources = workspace.root.join("bench/page-peers");
    for source in files::below(&sources) {
        let name = source.strip_prefix(&sources).context("below walks its folder")?;
        files::write(&folder.join(name), files::read(&source)?)?;
    }
    if !folder.join("node_modules/centrifuge").exists() {
        step::installing("npm packages of the peers");
        duct::cmd!("npm", "ci", "--ignore-scripts").dir(&folder).stdout_to_stderr().run()?;
    }
    Ok(folder)
}
