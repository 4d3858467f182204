//! `cargo xtask demo`: the example app on a local stand-in for Forge, with a real relay.

use std::{ffi::OsString, fs};

use anyhow::{Context, Result};
use duct::Expression;

use crate::{npm, package, relay, workspace::Workspace};

/// How to run it.
#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Drives it in headless Chromium, asserts, saves a screenshot and ends.
    #[arg(long)]
    pub(crate) check: bool,
    /// Lets the app's pages compile WebAssembly, as `unsafe-eval` in its manifest would.
    #[arg(long)]
    pub(crate) unsafe_eval: bool,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    command(workspace, options)?.run().context("the demo failed")?;
    Ok(())
}

/// Builds what the demo needs and gives the command that runs it.
pub(crate) fn command(workspace: &Workspace, options: &Options) -> Result<Expression> {
    npm::install(workspace)?;
    package::build(workspace)?;
    let mut arguments: Vec<OsString> = vec!["examples/forge-host/src/main.mjs".into(), "--relay-bin".into()];
    arguments.push(relay::build(workspace)?.into());
    if options.unsafe_eval {
        arguments.push("--unsafe-eval".into());
    }
    if options.check {
        let folder = workspace.target.join("demo");
        fs::create_dir_all(&folder)?;
        let name = if options.unsafe_eval { "webassembly.png" } else { "plain-javascript.png" };
        arguments.extend(["--check".into(), "--screenshot".into(), folder.join(name).into()]);
    }
    Ok(duct::cmd("node", arguments).dir(&workspace.root))
}
