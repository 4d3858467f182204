//! The output of commands besides the log. A reader that is gone, stalled or full never ends a command by a panic.

use sealwire_relay::{Output, open_log};
use std::{
    io::{self, Write as _},
    time::Duration,
};

/// Time for which a command waits for its reader, since a supervisor may wait for the command.
const PRINT_TIMEOUT: Duration = Duration::from_secs(1);

/// Prints the result of a command. A reader that has seen enough, such as `head`, is no error.
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

/// Prints what a command only mentions: whether it can be written changes nothing, and nobody waits for it.
pub(super) struct Mentions(Option<Output>);

impl Mentions {
    pub(super) fn start() -> Self {
        Self(Output::of("stdout", io::stdout()).ok())
    }

    pub(super) fn print(&self, text: &str) {
        if let Some(output) = &self.0 {
            output.write(text.as_bytes());
        }
    }

    /// The command ends.
    pub(super) fn finish(&self) {
        if let Some(output) = &self.0 {
            output.flush(PRINT_TIMEOUT);
        }
    }
}

/// Prints a line to standard error; [`sealwire_relay::flush_log`] before the end of the process gives it a moment.
pub(crate) fn warn(line: &str) {
    if let Ok(log) = open_log() {
        log.write(format!("{line}\n").as_bytes());
    }
}
