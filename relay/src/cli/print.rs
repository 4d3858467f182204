//! The output of commands besides the log. A reader that is gone or stalled never makes a command panic.

use sealwire_relay::{Output, open_log};
use std::{
    io::{self, Write as _},
    time::Duration,
};

/// The time for which a command waits for its reader. It is bounded because a supervisor may wait for the command.
const PRINT_TIMEOUT: Duration = Duration::from_secs(1);

/// Prints the result of a command. A reader that closes early, such as `head`, is not an error.
///
/// # Errors
/// The error of writing the result.
pub(super) fn result(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(io::Error::new(error.kind(), format!("cannot write to standard output: {error}"))),
        Ok(()) => Ok(()),
    }
}

/// Prints notices: texts that are not a command's result. They never block, and errors of writing them are ignored.
pub(super) struct Notices(Option<Output>);

impl Notices {
    pub(super) fn start() -> Self {
        Self(Output::of("stdout", io::stdout()).ok())
    }

    pub(super) fn print(&self, text: &str) {
        if let Some(output) = &self.0 {
            output.write(text.as_bytes());
        }
    }

    /// Waits a moment until the notices are written, before the command ends.
    pub(super) fn finish(&self) {
        if let Some(output) = &self.0 {
            output.flush(PRINT_TIMEOUT);
        }
    }
}

/// Prints a line to standard error. Call [`sealwire_relay::flush_log`] before the process ends.
pub(crate) fn warn(line: &str) {
    if let Ok(log) = open_log() {
        log.write(format!("{line}\n").as_bytes());
    }
}
