//! `cargo xtask check`: everything that judges the source without running it.

use anyhow::{Result, ensure};
use duct::Expression;

use crate::{files, npm, package, python, step, toolchain, workspace::Workspace};

/// A check: its name, and what has to succeed.
type Check = (&'static str, fn(&Workspace) -> Result<Verdict>);

enum Verdict {
    Passed,
    /// What it needs is not on this machine; it has said so.
    Skipped,
}

const CHECKS: [Check; 9] = [
    ("rustfmt", rustfmt),
    ("clippy", clippy),
    ("clippy for wasm32", clippy_for_wasm),
    ("prettier", prettier),
    ("tsc", tsc),
    ("openapi", openapi),
    ("deployment", deployment),
    ("cargo deny", dependencies),
    ("cargo deny advisories", advisories),
];

/// Runs every check, says which failed, and fails if one did.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    npm::install(workspace)?;
    let (mut passed, mut skipped, mut failed) = (0, 0, Vec::new());
    for (name, check) in CHECKS {
        step::checking(name);
        match check(workspace) {
            Ok(Verdict::Passed) => passed += 1,
            Ok(Verdict::Skipped) => skipped += 1,
            Err(error) => {
                step::failed(&format!("{name}: {error:#}"));
                failed.push(name);
            }
        }
    }
    println!("{passed} checks passed, {} failed, {skipped} skipped", failed.len());
    ensure!(failed.is_empty(), "these checks failed: {}", failed.join(", "));
    Ok(())
}

/// Runs a command in the root folder.
fn pass(workspace: &Workspace, command: &Expression) -> Result<Verdict> {
    command.dir(&workspace.root).run()?;
    Ok(Verdict::Passed)
}

fn rustfmt(workspace: &Workspace) -> Result<Verdict> {
    pass(workspace, &duct::cmd!("cargo", "fmt", "--all", "--check"))
}

fn clippy(workspace: &Workspace) -> Result<Verdict> {
    let lint = ["clippy", "--quiet", "--locked", "--workspace", "--all-targets", "--", "-Dwarnings"];
    pass(workspace, &duct::cmd("cargo", lint))
}

fn clippy_for_wasm(workspace: &Workspace) -> Result<Verdict> {
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

fn prettier(workspace: &Workspace) -> Result<Verdict> {
    npm::tool(workspace, "prettier").args(["--check", "--log-level=warn", "."]).run()?;
    Ok(Verdict::Passed)
}

/// The examples compile against the package, so that has to be there.
fn tsc(workspace: &Workspace) -> Result<Verdict> {
    package::build(workspace)?;
    for script in [
        ["types", "--workspace=js"],
        ["check", "--workspace=examples/team-dashboard"],
        ["check", "--workspace=examples/forge-host"],
    ] {
        pass(workspace, &duct::cmd("npm", ["run", "--silent"].into_iter().chain(script)).stdout_to_stderr())?;
    }
    Ok(Verdict::Passed)
}

/// The description of the HTTP interface, by the linter that most people use.
fn openapi(workspace: &Workspace) -> Result<Verdict> {
    let linter = workspace.root.join("node_modules/.bin/redocly");
    let lint = ["lint", "--config=protocol/openapi/redocly.yaml", "protocol/openapi/relay.json"];
    let command =
        duct::cmd(linter, lint).env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    quietly(workspace, &command)
}

/// What an operator starts from: the Dockerfile, the Caddyfile, the shell example, and the unit where systemd is.
fn deployment(workspace: &Workspace) -> Result<Verdict> {
    let programs = python::tools(workspace)?;
    pass(workspace, &duct::cmd!(programs.join("hadolint"), "Dockerfile"))?;
    pass(workspace, &duct::cmd!(programs.join("shellcheck"), "examples/http-api/publish.sh"))?;
    let caddyfile = ["validate", "--adapter=caddyfile", "--config=deploy/compose/Caddyfile"];
    let caddy = duct::cmd(programs.join("caddy"), caddyfile).env("SEALWIRE_HOST", "relay.example.com");
    quietly(workspace, &caddy)?;
    if duct::cmd!("systemd-analyze", "--version").stdout_null().stderr_null().run().is_err() {
        step::skipping("the systemd unit: systemd-analyze is not installed (Debian: systemd)");
        return Ok(Verdict::Passed);
    }
    // It looks for the program of the unit, which here is any that exists.
    let unit = files::read_text(&workspace.root.join("deploy/systemd/sealwire-relay.service"))?;
    let copy = workspace.target.join("systemd/sealwire-relay.service");
    files::write(&copy, unit.replace("/usr/local/bin/sealwire-relay", "/bin/true"))?;
    let socket = copy.with_extension("socket");
    files::write(&socket, files::read(&workspace.root.join("deploy/systemd/sealwire-relay.socket"))?)?;
    quietly(workspace, &duct::cmd!("systemd-analyze", "verify", &copy, &socket))?;
    quietly(workspace, &duct::cmd!("systemd-analyze", "security", "--offline=true", "--threshold=11", &copy))
}

/// Runs a command and shows what it says only where it fails.
fn quietly(workspace: &Workspace, command: &Expression) -> Result<Verdict> {
    let command = command.dir(&workspace.root).stderr_to_stdout().stdout_capture().unchecked();
    let output = command.run()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    Ok(Verdict::Passed)
}

fn dependencies(workspace: &Workspace) -> Result<Verdict> {
    let Some(command) = deny(&["bans", "licenses", "sources"])? else { return Ok(Verdict::Skipped) };
    pass(workspace, &command)
}

/// Known vulnerabilities. Their database is fetched, so there is no verdict without a network.
fn advisories(workspace: &Workspace) -> Result<Verdict> {
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
