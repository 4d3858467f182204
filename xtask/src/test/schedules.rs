//! The stage `schedules`: its build and the number of its schedules.

use std::env;

use anyhow::{Context, Result};
use duct::Expression;

use super::Suite;
use crate::{cargo, relay::OPTIMIZED, workspace::Workspace};

const SCHEDULES: &str = "100000";
/// The number of schedules with a relay that lies.
const LYING_SCHEDULES: &str = "5000";

pub(super) fn schedules(workspace: &Workspace) -> Result<Vec<Suite>> {
    let mut command = command(workspace, &["schedules::", "--", "--nocapture"])?;
    for (variable, default) in
        [("SEALWIRE_SCHEDULES", SCHEDULES), ("SEALWIRE_LYING_SCHEDULES", LYING_SCHEDULES)]
    {
        command = command.env(variable, env::var(variable).unwrap_or_else(|_| default.into()));
    }
    Ok(vec![Suite { shown: Some("schedules,"), ..Suite::summed(command) }])
}

/// Returns the command that compiles the schedules.
pub(super) fn build(workspace: &Workspace) -> Result<Expression> {
    command(workspace, &["--no-run"])
}

fn command(workspace: &Workspace, ending: &[&str]) -> Result<Expression> {
    let profile = profile(workspace)?;
    let mut arguments = vec!["test", "--quiet", "--locked", "--profile", OPTIMIZED];
    arguments.extend(profile.iter().flat_map(|setting| ["--config", setting]));
    arguments.extend(["--package", "sealwire-tests", "--test", "simulated_pair"]);
    arguments.extend(ending);
    Ok(cargo::command(arguments).dir(&workspace.root))
}

/// Returns the settings by which the workspace's crates differ from those of the optimized relay. The dependencies are the same,
/// so cargo compiles them once for both. One codegen unit takes a quarter more processor time to compile than sixteen, and the
/// schedules then take a third less.
fn profile(workspace: &Workspace) -> Result<Vec<String>> {
    let settings = ["opt-level=2", "codegen-units=1", "debug-assertions=true", "overflow-checks=true"];
    let mut profile = Vec::new();
    for package in workspace.crates()? {
        let name = package["name"].as_str().context("cargo metadata has a package without a name")?;
        profile.extend(settings.map(|setting| format!("profile.{OPTIMIZED}.package.{name}.{setting}")));
    }
    Ok(profile)
}
