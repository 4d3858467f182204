//! `cargo xtask check`: everything that judges the source without running it.

use anyhow::{Result, bail, ensure};
use duct::Expression;

use crate::{npm, package, step, toolchain, workspace::Workspace};

/// A check: its name, and what has to succeed.
type Check = (&'static str, fn(&Workspace) -> Result<()>);

const CHECKS: [Check; 7] = [
    ("rustfmt", rustfmt),
    ("clippy", clippy),
    ("clippy for wasm32", clippy_for_wasm),
    ("prettier", prettier),
    ("tsc", tsc),
    ("cargo deny", dependencies),
    ("cargo deny advisories", advisories),
];

/// Runs every check, says which failed, and fails if one did.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    npm::install(workspace)?;
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        step::checking(name);
        if let Err(error) = check(workspace) {
            step::failed(&format!("{name}: {error:#}"));
            failed.push(name);
        }
    }
    if failed.is_empty() {
        println!("{} checks passed", CHECKS.len());
        return Ok(());
    }
    bail!("{} of {} checks failed: {}", failed.len(), CHECKS.len(), failed.join(", "))
}

/// Runs a command in the root folder.
fn pass(workspace: &Workspace, command: &Expression) -> Result<()> {
    command.dir(&workspace.root).run()?;
    Ok(())
}

fn rustfmt(workspace: &Workspace) -> Result<()> {
    pass(workspace, &duct::cmd!("cargo", "fmt", "--all", "--check"))
}

fn clippy(workspace: &Workspace) -> Result<()> {
    let lint = ["clippy", "--quiet", "--locked", "--workspace", "--all-targets", "--", "-Dwarnings"];
    pass(workspace, &duct::cmd("cargo", lint))
}

fn clippy_for_wasm(workspace: &Workspace) -> Result<()> {
    let Some(toolchain) = toolchain::with_clippy(workspace)? else {
        step::skipping(
            "clippy for wasm32: install it for the toolchain that has the target (Debian: rust-web-clippy)",
        );
        return Ok(());
    };
    let mut lint = vec!["clippy", "--quiet", "--locked", "--all-targets", "--target", toolchain::TARGET];
    lint.extend(["--package", "sealwire-sdk-wasm", "--features", "browser,resolver", "--", "-Dwarnings"]);
    pass(workspace, &toolchain.cargo(lint).env("CARGO_TARGET_DIR", workspace.target.join("wasm-clippy")))
}

fn prettier(workspace: &Workspace) -> Result<()> {
    npm::tool(workspace, "prettier").args(["--check", "--log-level=warn", "."]).run()
}

/// The examples compile against the package, so that has to be there.
fn tsc(workspace: &Workspace) -> Result<()> {
    package::build(workspace)?;
    for script in [
        ["types", "--workspace=js"],
        ["check", "--workspace=examples/team-dashboard"],
        ["check", "--workspace=examples/forge-host"],
    ] {
        pass(workspace, &duct::cmd("npm", ["run", "--silent"].into_iter().chain(script)).stdout_to_stderr())?;
    }
    Ok(())
}

fn dependencies(workspace: &Workspace) -> Result<()> {
    let Some(command) = deny(&["bans", "licenses", "sources"])? else { return Ok(()) };
    pass(workspace, &command)
}

/// Known vulnerabilities. Their database is fetched, so there is no verdict without a network.
fn advisories(workspace: &Workspace) -> Result<()> {
    let Some(command) = deny(&["advisories"])? else { return Ok(()) };
    let output = command.dir(&workspace.root).stderr_to_stdout().stdout_capture().unchecked().run()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("failed to fetch advisory database") {
        step::skipping("the advisory database cannot be reached");
        return Ok(());
    }
    eprint!("{text}");
    ensure!(output.status.success(), "a dependency has a known vulnerability");
    Ok(())
}

/// The command, where cargo-deny is installed.
fn deny(what: &[&str]) -> Result<Option<Expression>> {
    let asked = duct::cmd!("cargo", "deny", "--version").stdout_null().stderr_null().unchecked().run()?;
    if !asked.status.success() {
        step::skipping("it is not installed (`cargo install --locked cargo-deny`)");
        return Ok(None);
    }
    let arguments = ["deny", "--workspace", "--log-level=warn", "check", "--hide-inclusion-graph"];
    Ok(Some(duct::cmd("cargo", arguments.iter().chain(what))))
}
