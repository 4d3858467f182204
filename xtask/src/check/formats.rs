//! Formatters, lints and types.

use anyhow::Result;

use super::{Verdict, pass};
use crate::{cargo, npm, package, step, toolchain, workspace::Workspace};

pub(super) fn rustfmt(workspace: &Workspace) -> Result<Verdict> {
    pass(workspace, &cargo::command(["fmt", "--all", "--check"]))
}

pub(super) fn clippy(workspace: &Workspace) -> Result<Verdict> {
    let lint = ["clippy", "--quiet", "--locked", "--workspace", "--all-targets", "--", "-Dwarnings"];
    pass(workspace, &cargo::command(lint))
}

pub(super) fn clippy_for_wasm(workspace: &Workspace) -> Result<Verdict> {
    let Some(toolchain) = toolchain::with_clippy(workspace)? else {
        step::skipping(
            "clippy for wasm32: install it for the toolchain that has the target (Debian: rust-web-clippy)",
        );
        return Ok(Verdict::Skipped);
    };
    let mut lint = vec!["clippy", "--quiet", "--locked", "--all-targets", "--target", toolchain::TARGET];
    lint.extend(["--package", "sealwire-sdk-wasm", "--features", "browser,resolver", "--", "-Dwarnings"]);
    pass(workspace, &toolchain.cargo(lint).env("CARGO_TARGET_DIR", workspace.target.join("wasm-clippy")))
}

pub(super) fn prettier(workspace: &Workspace) -> Result<Verdict> {
    npm::tool(workspace, "prettier").args(["--check", "--log-level=warn", "."]).run()?;
    Ok(Verdict::Passed)
}

/// The types of the package's sources, of the examples, which compile against the built package, and of the relay's console.
pub(super) fn tsc(workspace: &Workspace) -> Result<Verdict> {
    package::build(workspace)?;
    let mut checks = vec![("types", "js".to_owned())];
    checks.extend(npm::examples_with(workspace, "check")?.into_iter().map(|folder| ("check", folder)));
    for (script, folder) in checks {
        let command = duct::cmd!("npm", "run", "--silent", script, format!("--workspace={folder}"));
        pass(workspace, &command.stdout_to_stderr())?;
    }
    for project in ["js/test", "relay/src/admin/console/page"] {
        npm::tool(workspace, "tsc").args(["--project", project]).run()?;
    }
    Ok(Verdict::Passed)
}
