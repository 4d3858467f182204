//! The CPU time and the memory of a process and its descendants, from /proc.

use anyhow::{Context as _, Result};
use std::{
    fs,
    ops::{Add, Sub},
};

/// CPU time in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cpu {
    pub(crate) user: f64,
    pub(crate) system: f64,
}

impl Cpu {
    /// Reads the CPU time of a process and all its descendants.
    pub(crate) fn of(process: u32) -> Result<Self> {
        let mut sum = Self::default();
        for process in family(process) {
            let path = format!("/proc/{process}/stat");
            let stat = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
            // The process name may contain any character. Only numbers follow its closing parenthesis.
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok());
            // USER_HZ is 100 on all common Linux systems.
            sum.user += ticks(11).context("/proc/<pid>/stat has no utime")? / 100.0;
            sum.system += ticks(12).context("/proc/<pid>/stat has no stime")? / 100.0;
        }
        Ok(sum)
    }

    pub(crate) fn total(self) -> f64 {
        self.user + self.system
    }
}

impl Add for Cpu {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { user: self.user + other.user, system: self.system + other.system }
    }
}

impl Sub for Cpu {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self { user: self.user - earlier.user, system: self.system - earlier.system }
    }
}

/// Returns the resident memory of a process and all its descendants, in bytes.
pub(crate) fn resident(process: u32) -> f64 {
    let of = |process: u32| {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().trim_end_matches(" kB").parse::<f64>().ok()
    };
    family(process).into_iter().filter_map(of).sum::<f64>() * 1024.0
}

/// Returns the number of files that a process has open, connections among them.
pub(crate) fn open_files(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/fd")).map_or(0, Iterator::count)
}

fn family(process: u32) -> Vec<u32> {
    let mut all = vec![process];
    let mut next = 0;
    while let Some(parent) = all.get(next) {
        let path = format!("/proc/{parent}/task/{parent}/children");
        let children = fs::read_to_string(path).unwrap_or_default();
        all.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        next += 1;
    }
    all
}
