//! `cargo xtask fuzz`: runs the fuzz targets on random input. Requires cargo-fuzz and a nightly compiler. The ordinary
//! tests replay the kept corpus without either.

use std::fs;

use anyhow::{Result, ensure};
use duct::Expression;

use crate::{cargo, step, workspace::Workspace};

/// The targets to run, and for how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The targets to run; all of them if none is named.
    targets: Vec<String>,
    /// The seconds that each target runs.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

/// Runs the targets one after the other.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let missing = missing()?;
    ensure!(missing.is_none(), "{}", missing.unwrap_or_default());
    for target in targets(workspace)? {
        if options.targets.is_empty() || options.targets.contains(&target) {
            step::checking(&format!("{target} for {} s", options.seconds));
            command(workspace, &target, options.seconds)?.dir(&workspace.root).run()?;
        }
    }
    Ok(())
}

/// Returns the sentence about a missing tool, or nothing if the targets can run.
pub(crate) fn missing() -> Result<Option<&'static str>> {
    let there = |arguments: &[&str]| -> Result<bool> {
        let asked = duct::cmd("rustup", arguments).stdout_null().stderr_null().unchecked().run();
        Ok(asked.is_ok_and(|output| output.status.success()))
    };
    Ok(if !there(&["run", "nightly", "cargo", "--version"])? {
        Some("the fuzzer needs a nightly compiler: `rustup toolchain install nightly --profile minimal`")
    } else if !there(&["run", "nightly", "cargo", "fuzz", "--version"])? {
        Some("the fuzzer is not installed: `cargo install --locked cargo-fuzz`")
    } else {
        None
    })
}

/// Returns the targets, which are the folders of the kept corpus.
pub(crate) fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in fs::read_dir(workspace.root.join("fuzz/corpus"))? {
        targets.push(entry?.file_name().to_string_lossy().into_owned());
    }
    targets.sort();
    Ok(targets)
}

/// Returns the command that runs one target. New inputs go to target/fuzz/corpus, failing ones to fuzz/artifacts.
pub(crate) fn command(workspace: &Workspace, target: &str, seconds: u32) -> Result<Expression> {
    let found = workspace.target.join("fuzz/corpus").join(target);
    fs::create_dir_all(&found)?;
    let kept = workspace.root.join("fuzz/corpus").join(target);
    let arguments = ["run", "nightly", "cargo", "fuzz", "run", target, "--target-dir"].map(Into::into);
    let arguments = arguments.into_iter().chain([workspace.target.join("fuzz/build").into_os_string()]);
    let folders = [found.into_os_string(), kept.into_os_string()];
    let limits = ["--".into(), format!("-max_total_time={seconds}").into(), "-print_final_stats=1".into()];
    Ok(cargo::without_this_package(&duct::cmd("rustup", arguments.chain(folders).chain(limits))))
}
