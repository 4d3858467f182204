//! The dependencies, judged by cargo-deny.

use anyhow::{Result, ensure};
use duct::Expression;

use super::{Verdict, pass};
use crate::{cargo, step, workspace::Workspace};

/// Checks licenses, sources and banned crates against `deny.toml`.
pub(super) fn policy(workspace: &Workspace) -> Result<Verdict> {
    let Some(command) = deny(&["bans", "licenses", "sources"])? else { return Ok(Verdict::Skipped) };
    pass(workspace, &command)
}

/// Checks for known vulnerabilities. cargo-deny fetches their database, so without a network the check is skipped.
pub(super) fn advisories(workspace: &Workspace) -> Result<Verdict> {
    let Some(command) = deny(&["advisories"])? else { return Ok(Verdict::Skipped) };
    let output = command.dir(&workspace.root).stderr_to_stdout().stdout_capture().unchecked().run()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("failed to fetch advisory database") {
        step::skipping("the advisory database cannot be reached");
        return Ok(Verdict::Skipped);
    }
    eprint!("{text}");
    ensure!(output.status.success(), "a dependency has a known vulnerability");
    Ok(Verdict::Passed)
}

/// The command, if cargo-deny is installed.
fn deny(checks: &[&str]) -> Result<Option<Expression>> {
    let asked = cargo::command(["deny", "--version"]).stdout_null().stderr_null().unchecked().run()?;
    if !asked.status.success() {
        step::skipping("cargo-deny is not installed (`cargo install --locked cargo-deny`)");
        return Ok(None);
    }
    let arguments = ["deny", "--workspace", "--log-level=warn", "check", "--hide-inclusion-graph"];
    Ok(Some(cargo::command(arguments.iter().chain(checks))))
}
