//! Stages in another process of xtask.

use std::{env, ffi::OsString};

use anyhow::{Context, Result};

use super::counts::Counts;

/// The priority of a process beside the others on the machine.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Priority {
    Normal,
    Lowest,
}

/// Stages that run beside those of this process.
pub(super) struct Beside {
    /// Runs the stages, if there are any.
    process: Option<duct::Handle>,
}

impl Beside {
    /// Starts stages, one after the other.
    pub(super) fn start(priority: Priority, stages: &[&str]) -> Result<Self> {
        if stages.is_empty() {
            return Ok(Self { process: None });
        }
        let program = env::current_exe().context("xtask does not know its own path")?;
        let arguments = ["test"].iter().chain(stages).map(OsString::from);
        let expression = if cfg!(unix) && priority == Priority::Lowest {
            let lowered = ["-n".into(), "19".into(), program.into_os_string()];
            duct::cmd("nice", lowered.into_iter().chain(arguments))
        } else {
            duct::cmd(program, arguments)
        };
        let process = expression.stdout_capture().unchecked().start();
        Ok(Self { process: Some(process.context("cannot run xtask for the stages beside")?) })
    }

    /// Waits for the end of the stages and prints their results.
    pub(super) fn finish(self) -> Result<Counts> {
        let Some(process) = &self.process else { return Ok(Counts::default()) };
        let output = process.wait()?;
        let text = String::from_utf8_lossy(&output.stdout);
        // The last line is the sum of these stages only.
        let results = text.trim_end().rsplit_once('\n').map_or("", |(results, _)| results);
        println!("{results}");
        let mut counts = Counts::read_stages(results);
        if !output.status.success() {
            counts.failed = counts.failed.max(1);
        }
        Ok(counts)
    }
}
