//! `cargo xtask test`: runs every test of the project, stage by stage, and prints the sum on the last line.

mod beside;
mod counts;
mod plan;
mod schedules;
mod stages;
mod suites;

use std::{process::ExitCode, time::Instant};

use anyhow::{Context, Result, bail};
use duct::Expression;

use self::{
    beside::{Beside, Priority},
    counts::Counts,
    plan::{COMPUTING, PHASES},
    stages::STAGES,
};
use crate::{step, workspace::Workspace};

/// The tests to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The stages to run; all of them if none is named.
    stages: Vec<String>,
    /// Lists the stages.
    #[arg(long)]
    list: bool,
}

/// A group of tests that need the same preparation.
struct Stage {
    name: &'static str,
    about: &'static str,
    /// Builds and installs the requirements of the tests and returns the commands that run them.
    prepare: fn(&Workspace) -> Result<Vec<Suite>>,
}

/// One command that runs tests.
struct Suite {
    command: Expression,
    counted: Counted,
    /// Lines of the output with this text are printed even if all tests pass.
    shown: Option<&'static str>,
}

impl Suite {
    fn summed(command: Expression) -> Self {
        Self { command, counted: Counted::BySummary, shown: None }
    }
}

/// The way to count the tests of a command.
#[derive(Clone, Copy)]
enum Counted {
    /// The summaries in the output have the numbers.
    BySummary,
    /// The command counts as one test, which passes if the command succeeds.
    AsOne,
}

/// Runs the stages and prints the sum on the last line.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    if options.list {
        for stage in STAGES {
            println!("{:<16} {}", stage.name, stage.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let total = if options.stages.is_empty() {
        run_all(workspace)?
    } else {
        run_stages(workspace, choose(&options.stages)?)
    };
    println!("{} passed, {} failed", total.passed, total.failed);
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs every stage. Compiling uses all cores, so the stages start after it.
fn run_all(workspace: &Workspace) -> Result<Counts> {
    suites::compile(workspace)?;
    let computing = Beside::start(Priority::Lowest, COMPUTING)?;
    let mut total = Counts::default();
    for phase in PHASES {
        let beside = Beside::start(Priority::Normal, phase.beside)?;
        total.add(run_stages(workspace, choose(phase.stages)?));
        total.add(beside.finish()?);
    }
    total.add(computing.finish()?);
    Ok(total)
}

fn run_stages(workspace: &Workspace, stages: impl IntoIterator<Item = &'static Stage>) -> Counts {
    let mut total = Counts::default();
    for stage in stages {
        step::checking(&format!("{}: {}", stage.name, stage.about));
        let start = Instant::now();
        let mut counts = match run_stage(workspace, stage) {
            Ok(counts) => counts,
            Err(error) => {
                step::failed(&format!("{}: {error:#}", stage.name));
                Counts { failed: 1, ..Counts::default() }
            }
        };
        if counts.ran() == 0 {
            step::failed(&format!("{}: no test ran", stage.name));
            counts.failed = 1;
        }
        let seconds = start.elapsed().as_secs_f32();
        println!("{:<16} {counts} ({seconds:.1} s)", stage.name);
        total.add(counts);
    }
    total
}

fn choose(names: &[impl AsRef<str>]) -> Result<Vec<&'static Stage>> {
    let named = |name: &str| STAGES.iter().find(|stage| stage.name == name);
    names
        .iter()
        .map(AsRef::as_ref)
        .map(|name| {
            named(name).with_context(|| format!("there is no stage `{name}`; see `cargo xtask test --list`"))
        })
        .collect()
}

fn run_stage(workspace: &Workspace, stage: &Stage) -> Result<Counts> {
    let mut sum = Counts::default();
    for suite in (stage.prepare)(workspace)? {
        sum.add(run_suite(workspace, &suite)?);
    }
    Ok(sum)
}

/// Runs one command. Its stderr is shown as it arrives, its stdout only if it fails.
fn run_suite(workspace: &Workspace, suite: &Suite) -> Result<Counts> {
    let output = suite.command.dir(&workspace.root).stdout_capture().unchecked().run()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let succeeded = output.status.success();
    if let Some(shown) = suite.shown.filter(|_| succeeded) {
        text.lines().filter(|line| line.contains(shown)).for_each(|line| println!("{line}"));
    }
    let mut counts = match suite.counted {
        Counted::BySummary => Counts::read(&text),
        Counted::AsOne => Counts { passed: u32::from(succeeded), ..Counts::default() },
    };
    if !succeeded {
        println!("{text}");
        // A runner that crashed before it printed a summary is a failure too.
        counts.failed = counts.failed.max(1);
    } else if counts.failed > 0 {
        println!("{text}");
        bail!("the runner reports {} failed tests but exits with success", counts.failed);
    }
    Ok(counts)
}
