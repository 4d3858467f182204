//! `cargo xtask check`: every judgement of the sources that runs no test.

mod dependencies;
mod deployment;
mod formats;
mod spelling;

use anyhow::{Context, Result, ensure};
use duct::Expression;

use crate::{links, npm, package, samples, step, structure, workspace::Workspace};

/// The checks to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The checks to run; all of them if none is named.
    checks: Vec<String>,
    /// Lists the checks.
    #[arg(long)]
    list: bool,
    /// Lists every comment that the report `comments` counts.
    #[arg(long)]
    verbose: bool,
}

/// One check.
struct Check {
    name: &'static str,
    about: &'static str,
    run: fn(&Workspace, &Options) -> Result<Verdict>,
}

/// The outcome of a check that did not fail.
enum Verdict {
    Passed,
    /// The check needs a program that this machine lacks; a line has said so.
    Skipped,
}

/// The checks, quick ones first.
const CHECKS: &[Check] = &[
    Check { name: "rustfmt", about: "the format of the Rust sources", run: |at, _| formats::rustfmt(at) },
    Check { name: "prettier", about: "the format of the scripts", run: |at, _| formats::prettier(at) },
    Check {
        name: "circles",
        about: "no circle of imports",
        run: |at, _| passed(structure::check_imports(at)),
    },
    Check {
        name: "lengths",
        about: "files of at most 330 lines, functions of at most 60",
        run: |at, _| passed(structure::check_lengths(at)),
    },
    Check {
        name: "comments",
        about: "counts comments that begin with a question word; never fails",
        run: |at, options| passed(structure::report_comments(at, options.verbose)),
    },
    Check {
        name: "links",
        about: "links and anchors of the Markdown files",
        run: |at, _| passed(links::check_markdown(at).and_then(|faults| links::report(&faults))),
    },
    Check { name: "typos", about: "misspelt words", run: |at, _| spelling::typos(at) },
    Check { name: "clippy", about: "lints of the Rust sources", run: |at, _| formats::clippy(at) },
    Check {
        name: "clippy-wasm32",
        about: "lints of what is compiled for wasm32",
        run: |at, _| formats::clippy_for_wasm(at),
    },
    Check { name: "tsc", about: "the types of the scripts", run: |at, _| formats::tsc(at) },
    Check {
        name: "samples",
        about: "the code samples of the READMEs and of docs/",
        run: |at, _| {
            package::build(at)?;
            passed(samples::check(at))
        },
    },
    Check {
        name: "openapi",
        about: "the description of the HTTP interface",
        run: |at, _| deployment::openapi(at),
    },
    Check {
        name: "deployment",
        about: "Dockerfile, Caddy, NATS, Kubernetes, CloudFormation, shell scripts, systemd unit",
        run: |at, _| deployment::operator_files(at),
    },
    Check {
        name: "deny",
        about: "licenses and sources of dependencies",
        run: |at, _| dependencies::policy(at),
    },
    Check {
        name: "advisories",
        about: "known vulnerabilities of dependencies",
        run: |at, _| dependencies::advisories(at),
    },
];

/// Runs the checks, names those that failed, and fails if one did.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if options.list {
        CHECKS.iter().for_each(|check| println!("{:<14} {}", check.name, check.about));
        return Ok(());
    }
    let chosen = choose(&options.checks)?;
    npm::install(workspace)?;
    let (mut passed, mut skipped, mut failed) = (0, 0, Vec::new());
    for Check { name, run, .. } in chosen {
        step::checking(name);
        match run(workspace, options) {
            Ok(Verdict::Passed) => passed += 1,
            Ok(Verdict::Skipped) => skipped += 1,
            Err(error) => {
                step::failed(&format!("{name}: {error:#}"));
                failed.push(*name);
            }
        }
    }
    println!("{passed} checks passed, {} failed, {skipped} skipped", failed.len());
    ensure!(failed.is_empty(), "these checks failed: {}", failed.join(", "));
    Ok(())
}

fn choose(names: &[String]) -> Result<Vec<&'static Check>> {
    if names.is_empty() {
        return Ok(CHECKS.iter().collect());
    }
    names
        .iter()
        .map(|name| {
            CHECKS
                .iter()
                .find(|check| check.name == name)
                .with_context(|| format!("there is no check `{name}`; see `cargo xtask check --list`"))
        })
        .collect()
}

fn passed(result: Result<()>) -> Result<Verdict> {
    result.map(|()| Verdict::Passed)
}

/// Runs a command in the root folder.
fn pass(workspace: &Workspace, command: &Expression) -> Result<Verdict> {
    command.dir(&workspace.root).run()?;
    Ok(Verdict::Passed)
}

/// Runs a command in the root folder and shows its output only if it fails.
fn pass_quietly(workspace: &Workspace, command: &Expression) -> Result<Verdict> {
    let command = command.dir(&workspace.root).stderr_to_stdout().stdout_capture().unchecked();
    let output = command.run()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    Ok(Verdict::Passed)
}
