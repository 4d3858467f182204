//! `cargo xtask demo`: the example app on a local stand-in for Forge, with a real relay or with a cluster of them.

mod animation;
mod capture;

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use duct::Expression;

use crate::{nats, package, parallel, relay, step, workspace::Workspace};

/// The options of the demo.
#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Drives the pages in headless Chromium, asserts, saves a screenshot and ends.
    #[arg(long)]
    pub(crate) check: bool,
    /// Runs two relays on three NATS servers, and shows a button for each that kills it, and that nothing is missed.
    #[arg(long)]
    pub(crate) cluster: bool,
    /// Lets the app's pages compile WebAssembly, as `unsafe-eval` in the manifest would.
    #[arg(long)]
    pub(crate) unsafe_eval: bool,
    /// Plays a scene in headless Chromium and writes it to this file as an animated GIF.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["check", "cluster", "unsafe_eval"])]
    pub(crate) capture: Option<PathBuf>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if let Some(file) = &options.capture {
        return capture::run(workspace, &absolute(workspace, file));
    }
    command(workspace, options)?.run().context("the demo failed")?;
    Ok(())
}

/// Builds the package and the relay, and returns the command that runs the demo.
pub(crate) fn command(workspace: &Workspace, options: &Options) -> Result<Expression> {
    let mut arguments: Vec<OsString> = vec!["examples/forge-host/src/main.mjs".into(), "--relay-bin".into()];
    arguments.push(prepare(workspace)?.into());
    if options.cluster {
        arguments.extend(["--nats-bin".into(), nats::server(workspace)?.into()]);
    }
    if options.unsafe_eval {
        arguments.push("--unsafe-eval".into());
    }
    if options.check {
        let folder = workspace.target.join("demo");
        fs::create_dir_all(&folder)?;
        let cluster = if options.cluster { "cluster-" } else { "" };
        let core = if options.unsafe_eval { "webassembly" } else { "plain-javascript" };
        let picture = folder.join(format!("{cluster}{core}.png"));
        arguments.extend(["--check".into(), "--screenshot".into(), picture.into()]);
    }
    Ok(duct::cmd("node", arguments).dir(&workspace.root))
}

/// Builds the package and the relay, and returns the path of the relay.
fn prepare(workspace: &Workspace) -> Result<PathBuf> {
    step::building("the relay");
    // The package waits for downloads first, and the relay needs nothing of it.
    let (relay, _) = parallel::both(|| relay::build(workspace), || package::build(workspace))?;
    Ok(relay)
}

/// A path of the command line: cargo runs this program in the caller's folder.
fn absolute(workspace: &Workspace, file: &Path) -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| workspace.root.clone()).join(file)
}
