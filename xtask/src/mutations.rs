//! `cargo xtask mutations`: inserts one bug after the other into a copy of the sources and runs the seeded schedules,
//! which must find each. The bugs are replacements of text in tests/mutations.json, so released code contains none of
//! them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{files, step, workspace::Workspace};

/// The files that the copy needs to build, besides the crates.
const FILES: [&str; 3] = ["Cargo.toml", "Cargo.lock", "clippy.toml"];
const SCHEDULES: &str = "100000";

/// The options of the mutations.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Inserts only the bugs whose name contains this text; may be repeated.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
}

/// Prints a row for each bug. The exit code is a failure if the schedules missed one.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let _lock = workspace.lock("mutations")?;
    let copy = workspace.target.join("mutations");
    let files = FILES.into_iter().map(PathBuf::from);
    for source in files.chain(workspace.crate_folders()?) {
        restore(&workspace.root, &copy, &source)?;
    }
    let list = files::read_text(&workspace.root.join("tests/mutations.json"))?;
    let mutations: Vec<Value> = serde_json::from_str(&list)?;
    let (mut tried, mut escaped) = (0, 0);
    for mutation in &mutations {
        let name = mutation["name"].as_str().context("a mutation in tests/mutations.json lacks `name`")?;
        if !options.only.is_empty() && !options.only.iter().any(|text| name.contains(text)) {
            continue;
        }
        tried += 1;
        let edits =
            mutation["edits"].as_array().context("a mutation in tests/mutations.json lacks `edits`")?;
        step::checking(name);
        edits.iter().try_for_each(|edit| apply(&copy, edit)).with_context(|| name.to_owned())?;
        let start = Instant::now();
        let found = found(workspace, &copy)?;
        escaped += usize::from(found.is_none());
        let found = found.unwrap_or_else(|| "NOT FOUND".into());
        println!("| {name} | {found} | {:.0} s |", start.elapsed().as_secs_f32());
        for edit in edits {
            restore(&workspace.root, &copy, Path::new(text(edit, "file")?))?;
        }
    }
    ensure!(tried > 0, "no name in tests/mutations.json contains the text of --only");
    println!("{} of {tried} mutations found", tried - escaped);
    Ok(if escaped == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the schedules on the copy and returns the line with the failing seed, or nothing if all pass.
fn found(workspace: &Workspace, copy: &Path) -> Result<Option<String>> {
    let arguments = ["test", "--quiet", "--locked", "--profile", "schedules", "-p", "sealwire-tests"];
    let arguments = arguments.into_iter().chain(["--test", "simulated_pair", "in_every_schedule"]);
    let output = duct::cmd("cargo", arguments)
        .dir(copy)
        .env("CARGO_TARGET_DIR", workspace.target.join("mutations-target"))
        .env("SEALWIRE_SCHEDULES", SCHEDULES)
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .run()?;
    if output.status.success() {
        return Ok(None);
    }
    let output = [output.stdout, output.stderr].concat();
    let output = String::from_utf8_lossy(&output);
    let seed = output.lines().find(|line| line.starts_with("seed "));
    let seed = seed.with_context(|| format!("the mutated copy failed without a failing seed:\n{output}"))?;
    Ok(Some(seed.to_owned()))
}

fn apply(copy: &Path, edit: &Value) -> Result<()> {
    let (file, from) = (copy.join(text(edit, "file")?), text(edit, "from")?);
    let source = files::read_text(&file)?;
    let times = source.matches(from).count();
    ensure!(
        times == 1,
        "{} contains the text to replace {times} times, not once; correct the edit in tests/mutations.json",
        file.display()
    );
    files::write(&file, source.replace(from, text(edit, "to")?))
}

fn text<'a>(edit: &'a Value, name: &str) -> Result<&'a str> {
    edit[name].as_str().with_context(|| format!("an edit in tests/mutations.json lacks `{name}`"))
}

/// Copies a file or folder. Only files that differ are written, so cargo rebuilds only these. Files of the copy that the
/// source does not have are removed: cargo finds targets by their names.
fn restore(root: &Path, copy: &Path, path: &Path) -> Result<()> {
    let source = root.join(path);
    let skipped = ["target", "node_modules", "dist"];
    if source.is_dir() {
        for entry in fs::read_dir(copy.join(path)).into_iter().flatten() {
            let (name, path) = entry.map(|entry| (entry.file_name(), entry.path()))?;
            match source.join(name).exists() {
                true => {}
                false if path.is_dir() => fs::remove_dir_all(path)?,
                false => fs::remove_file(path)?,
            }
        }
        for entry in fs::read_dir(&source)? {
            let name = entry?.file_name();
            if !skipped.iter().any(|skipped| name == *skipped) {
                restore(root, copy, &path.join(name))?;
            }
        }
        return Ok(());
    }
    let content = files::read(&source)?;
    let target = copy.join(path);
    if fs::read(&target).ok().as_ref() == Some(&content) { Ok(()) } else { files::write(&target, content) }
}
