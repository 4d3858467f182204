//! One nats-server process.

use crate::{hosts::Host, signal::signal};
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

/// A server with its configuration file. Dropping it kills the process.
pub(super) struct Server {
    config: PathBuf,
    log: PathBuf,
    host: Option<Arc<Host>>,
    child: Option<Child>,
}

impl Server {
    /// Returns a server that is not started yet.
    pub(super) fn new(config: PathBuf, log: PathBuf, host: Option<Arc<Host>>) -> Self {
        Self { config, log, host, child: None }
    }

    /// Starts the process, unless it runs.
    ///
    /// # Panics
    /// If there is no nats-server.
    pub(super) fn start(&mut self) {
        if self.is_running() {
            return;
        }
        let program = std::env::var_os("SEALWIRE_NATS_SERVER").unwrap_or_else(|| "nats-server".into());
        let mut command = match &self.host {
            Some(host) => host.command(program),
            None => Command::new(program),
        };
        let child = command
            .arg("--config")
            .arg(&self.config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test needs nats-server: python3 -m pip install -r xtask/python-tools.txt, or set SEALWIRE_NATS_SERVER to its path");
        self.child = Some(child);
    }

    /// Returns whether the process runs or is stopped.
    pub(super) fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Returns the id of the process; `None` if it was killed.
    pub(super) fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Kills the process and waits for its end.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // A process that has ended already needs no kill.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends a signal, such as `STOP`. Returns false if the process does not run.
    pub(super) fn signal(&self, name: &str) -> bool {
        self.child.as_ref().is_some_and(|child| signal(child.id(), name))
    }

    /// Stops the process with the signal STOP, and waits until it stands still.
    pub(super) fn stop(&self) {
        self.signal("STOP");
        let Some(id) = self.child.as_ref().map(Child::id) else { return };
        let is_stopped = || {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('T'))
        };
        while !is_stopped() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }

    /// Returns the path of the configuration file.
    pub(super) fn config(&self) -> &Path {
        &self.config
    }

    /// Returns the last lines of the log.
    pub(super) fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
