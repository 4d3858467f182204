//! A limit for the life of a program, so that a test that waits for its output fails instead of waiting forever.

use std::{
    process::Command,
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

/// The longest life of a program.
const LIFE: Duration = Duration::from_secs(60);

/// Kills a process that lives too long. It must be dropped before the process is waited for.
pub struct Watchdog(#[expect(dead_code, reason = "its drop ends the thread")] Sender<()>);

impl Watchdog {
    pub fn of(process: u32) -> Self {
        let (alive, is_over) = channel::<()>();
        thread::spawn(move || {
            if is_over.recv_timeout(LIFE) == Err(RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").arg("-KILL").arg(process.to_string()).status();
            }
        });
        Self(alive)
    }
}
