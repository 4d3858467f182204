//! Metrics of the process from `/proc`, under the names of Prometheus' client libraries. On systems other than Linux they
//! are omitted.

use std::{fs, path::Path};

/// The unit of processor times in `/proc/self/stat`. It is fixed in Linux's interface, independent of the kernel's build.
const TICKS_PER_SECOND: f64 = 100.0;

/// The value of one metric.
pub(crate) struct Reading {
    /// The name without the prefix `process_`.
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) value: f64,
    pub(crate) is_counter: bool,
}

/// Reads every metric that is available.
pub(crate) fn read() -> Vec<Reading> {
    read_in(Path::new("/proc"))
}

/// Returns the resident memory in bytes, if it is available. It is one file, whereas the number of open files takes time for
/// each of them.
pub(crate) fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    kibibytes(&status, "VmRSS:").map(|bytes| bytes as u64)
}

fn read_in(proc: &Path) -> Vec<Reading> {
    let process = proc.join("self");
    let status = fs::read_to_string(process.join("status")).unwrap_or_default();
    let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
    let system = fs::read_to_string(proc.join("stat")).unwrap_or_default();
    let limits = fs::read_to_string(process.join("limits")).unwrap_or_default();
    let gauge =
        |name, help, value: Option<f64>| Some(Reading { name, help, value: value?, is_counter: false });
    let cpu = stat_field(&stat, 14)
        .zip(stat_field(&stat, 15))
        .map(|(user, kernel)| (user + kernel) / TICKS_PER_SECOND);
    let booted = system.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok());
    let started = booted.zip(stat_field(&stat, 22)).map(|(booted, ticks)| booted + ticks / TICKS_PER_SECOND);
    let open = fs::read_dir(process.join("fd")).ok().map(|entries| entries.count() as f64);
    let max = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next()?.parse::<f64>().ok());
    let cpu = cpu.map(|value| Reading {
        name: "cpu_seconds",
        help: "Processor time in user and kernel mode",
        value,
        is_counter: true,
    });
    [
        cpu,
        gauge("resident_memory_bytes", "Resident memory", kibibytes(&status, "VmRSS:")),
        gauge("virtual_memory_bytes", "Virtual memory", kibibytes(&status, "VmSize:")),
        gauge("threads", "Threads of the operating system", stat_field(&stat, 20)),
        gauge("open_fds", "Open file descriptors", open),
        gauge("max_fds", "Maximum number of open file descriptors", max),
        gauge("start_time_seconds", "Start of the process, in seconds since 1970", started),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn kibibytes(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok()? * 1024.0)
}

/// Returns a field of `/proc/self/stat`, numbered from 1 as in proc(5). The second field, the program's name, may contain
/// spaces and parentheses.
fn stat_field(stat: &str, number: usize) -> Option<f64> {
    stat.rsplit_once(") ")?.1.split(' ').nth(number - 3)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_read_from_its_file() {
        let proc = tempfile::tempdir().unwrap();
        fs::create_dir_all(proc.path().join("self/fd")).unwrap();
        for (file, text) in [
            ("self/status", "Name:\tx\nVmSize:\t    2048 kB\nVmRSS:\t    1024 kB\n"),
            ("self/stat", "7 (a) b) S 1 1 1 0 -1 0 0 0 0 0 150 50 0 0 20 0 3 0 1000 0 0 0\n"),
            (
                "self/limits",
                "Limit Soft Hard\nMax open files            1024                 4096    files\n",
            ),
            ("stat", "cpu 1 2 3\nbtime 1700000000\n"),
            ("self/fd/0", ""),
            ("self/fd/1", ""),
        ] {
            fs::write(proc.path().join(file), text).unwrap();
        }
        let readings: Vec<_> =
            read_in(proc.path()).into_iter().map(|reading| (reading.name, reading.value)).collect();
        let expected = [
            ("cpu_seconds", 2.0),
            ("resident_memory_bytes", 1_048_576.0),
            ("virtual_memory_bytes", 2_097_152.0),
            ("threads", 3.0),
            ("open_fds", 2.0),
            ("max_fds", 1024.0),
            ("start_time_seconds", 1_700_000_010.0),
        ];
        assert_eq!(readings, expected);
    }

    #[test]
    fn metrics_without_a_source_are_omitted() {
        assert!(read_in(Path::new("/nonexistent")).is_empty());
    }
}
