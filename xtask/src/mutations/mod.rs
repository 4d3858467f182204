//! `cargo xtask mutations`: inserts one bug after the other into a copy of the sources and runs the seeded schedules, or the
//! tests of one rule that the list names. They must find each. The bugs are replacements of text in
//! tests/mutations.json, so released code contains none of them.

mod copy;
mod list;

use std::{process::ExitCode, time::Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::{cargo, step, workspace::Workspace};
use copy::Copy;
use list::Mutation;

const SCHEDULES: &str = "100000";
/// The arguments of `cargo test` for the seeded schedules.
const SIMULATION: [&str; 5] =
    ["--package=sealwire-tests", "--test", "simulated_pair", "in_every_schedule", "--quiet"];

/// The options of the mutations.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Inserts only the bugs whose name contains this text; may be repeated.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
}

/// Prints a row for each bug. The exit code is a failure if one was not found.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let _lock = workspace.lock("mutations")?;
    let copy = Copy::new(workspace)?;
    let (mut tried, mut escaped) = (0, 0);
    for mutation in list::read(workspace)? {
        let Mutation { name, edits, .. } = &mutation;
        if !options.only.is_empty() && !options.only.iter().any(|text| name.contains(text)) {
            continue;
        }
        tried += 1;
        step::checking(name);
        edits.iter().try_for_each(|edit| copy.apply(edit)).with_context(|| name.clone())?;
        let start = Instant::now();
        let found = found(workspace, &copy, &mutation)?;
        escaped += usize::from(found.is_none());
        let found = found.unwrap_or_else(|| "NOT FOUND".into());
        println!("| {name} | {found} | {:.0} s |", start.elapsed().as_secs_f32());
        edits.iter().try_for_each(|edit| copy.restore(&edit.file))?;
    }
    ensure!(tried > 0, "no name in tests/mutations.json contains the text of --only");
    println!("{} of {tried} mutations found", tried - escaped);
    Ok(if escaped == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the tests on the copy. Returns the line with the failing seed or the failing test, or nothing if all pass.
fn found(workspace: &Workspace, copy: &Copy<'_>, mutation: &Mutation) -> Result<Option<String>> {
    let (tests, sign) = match &mutation.test {
        Some(arguments) => (arguments.clone(), "test "),
        None => (SIMULATION.map(str::to_owned).to_vec(), "seed "),
    };
    let arguments = ["test", "--locked", "--profile", "mutations"].map(str::to_owned);
    let output = cargo::command(arguments.into_iter().chain(tests))
        .dir(&copy.folder)
        .env("CARGO_TARGET_DIR", workspace.target.join("mutations-target"))
        .env("SEALWIRE_SCHEDULES", SCHEDULES)
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .run()?;
    let succeeded = output.status.success();
    let output = [output.stdout, output.stderr].concat();
    let output = String::from_utf8_lossy(&output);
    let mut lines = output.lines();
    if succeeded {
        ensure!(!output.contains("running 0 tests"), "the list names a test that does not exist:\n{output}");
        return Ok(None);
    }
    let is_sign =
        |line: &&str| line.starts_with(sign) && (mutation.test.is_none() || line.ends_with("FAILED"));
    match lines.find(is_sign) {
        Some(line) => Ok(Some(line.trim_end_matches(" ... FAILED").to_owned())),
        None => bail!("the mutated copy failed without a failing seed or test:\n{output}"),
    }
}
