//! Counts the instructions of the hot paths and compares them with the recorded budget. Instruction counts do not
//! depend on the load of the machine. The program runs itself under valgrind's callgrind.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool prints its output")]

use anyhow::{Context as _, Result, bail};
use sealwire_hot_paths::{NAMES, prepare};
use std::{collections::BTreeMap, env, fs, path::Path, process::Command};

/// The tolerance: a path fails above its budget by more than this share, and a path below by more should be recorded
/// again.
const SLACK: f64 = 0.1;
/// The number of repetitions. A count is the difference between a run with twice as many repetitions and this one, so
/// that the start of the program does not count.
const REPETITIONS: u64 = 50;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["repeat", name, count] => repeat(name, count.parse()?),
        ["check", budget] => check(Path::new(budget)),
        ["record", budget] => record(Path::new(budget)),
        _ => bail!(
            "usage: sealwire-hot-paths check <budget.json> | record <budget.json> | repeat <name> <count>"
        ),
    }
}

fn repeat(name: &str, count: u64) -> Result<()> {
    let mut path = prepare(name).with_context(|| format!("there is no hot path named '{name}'"))?;
    (0..count).for_each(|_| (path.work)());
    Ok(())
}

fn check(file: &Path) -> Result<()> {
    if !has_valgrind() {
        eprintln!("skipping the instruction counts: valgrind is not installed");
        println!("test result: ok. 0 passed; 0 failed; {} ignored", NAMES.len());
        return Ok(());
    }
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let budget: BTreeMap<String, u64> = serde_json::from_str(&text)?;
    let mut failed = 0;
    for name in NAMES {
        let count = instructions(name)?;
        let allowed = budget.get(name).copied().with_context(|| {
            format!(
                "the budget has no entry '{name}'; record it with 'sealwire-hot-paths record <budget.json>'"
            )
        })?;
        let ratio = count as f64 / allowed as f64;
        println!("{name:<32} {count:>8} instructions, {:.0} % of the budget", ratio * 100.0);
        if ratio > 1.0 + SLACK {
            failed += 1;
            println!(
                "  over the budget of {allowed}: make it cheaper, or record the new count and give the reason"
            );
        } else if ratio < 1.0 - SLACK {
            println!(
                "  well below the budget of {allowed}: record the new count, so that it does not rise again"
            );
        }
    }
    let result = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {result}. {} passed; {failed} failed; 0 ignored", NAMES.len() - failed);
    if failed > 0 {
        bail!("{failed} hot paths are over their budget");
    }
    Ok(())
}

fn record(file: &Path) -> Result<()> {
    let counts = NAMES.into_iter().map(|name| Ok((name, instructions(name)?)));
    let counts: BTreeMap<&str, u64> = counts.collect::<Result<_>>()?;
    fs::write(file, serde_json::to_string_pretty(&counts)? + "\n")?;
    Ok(())
}

fn has_valgrind() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Returns the number of instructions of one repetition.
fn instructions(name: &str) -> Result<u64> {
    let (few, many) = (count(name, REPETITIONS)?, count(name, 2 * REPETITIONS)?);
    Ok(many.saturating_sub(few) / REPETITIONS)
}

fn count(name: &str, repetitions: u64) -> Result<u64> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("callgrind.out");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(env::current_exe()?)
        .args(["repeat", name, &repetitions.to_string()])
        .output()?;
    if !output.status.success() {
        bail!("valgrind failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let text = fs::read_to_string(&out)?;
    let summary = text.lines().find_map(|line| line.strip_prefix("summary: "));
    summary
        .context("the output of callgrind has no summary")?
        .trim()
        .parse()
        .context("callgrind's summary is not a number")
}
