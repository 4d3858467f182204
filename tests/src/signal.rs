//! Signals to child processes.

use std::process::Command;

/// Sends a signal, such as `TERM`, to one process. Returns false if the process has ended.
pub(crate) fn signal(id: u32, name: &str) -> bool {
    let status = Command::new("kill").arg(format!("-{name}")).arg(id.to_string()).status();
    status.is_ok_and(|status| status.success())
}
