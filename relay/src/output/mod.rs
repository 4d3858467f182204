//! The output of the process. A dedicated thread writes it, so that a slow, stalled or closed reader never delays or ends
//! anything else. Lines that cannot be written are dropped and counted.
//!
//! `tracing-appender` has a similar writer, but it loses lines to failed writes without counting them, bounds its queue by
//! lines instead of bytes, and prints to a stalled reader at the end, which may block or panic.

mod queue;
#[cfg(test)]
mod tests;

use queue::Queue;
use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

/// The maximum number of bytes that wait to be written, including the batch in progress.
const MAX_BYTES: usize = 1024 * 1024;
/// The pause before a retry if the descriptor is non-blocking and full. Another process that shares it may have made it
/// non-blocking.
const RETRY_PAUSE: Duration = Duration::from_millis(10);
/// The time for which the end of the process waits for queued lines.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// A destination of lines.
#[derive(Clone, Debug)]
pub struct Output {
    queue: Arc<Queue>,
}

impl Output {
    /// Starts the thread that writes to `sink`. It runs until the process ends.
    ///
    /// # Errors
    /// The system's error if it cannot start the thread.
    pub fn start(name: &str, sink: impl Write + Send + 'static) -> io::Result<Self> {
        let queue = Arc::new(Queue::new(MAX_BYTES));
        let written = queue.clone();
        thread::Builder::new().name(name.to_owned()).spawn(move || write_all(&written, sink))?;
        Ok(Self { queue })
    }

    /// Starts the thread for one of the process's descriptors, without the lock of the standard library's handle.
    ///
    /// # Errors
    /// The system's error if it cannot start the thread or duplicate the descriptor.
    pub fn of(name: &str, descriptor: impl AsFd) -> io::Result<Self> {
        Self::start(name, File::from(descriptor.as_fd().try_clone_to_owned()?))
    }

    /// Queues whole lines, or drops them if the queue is full. Never blocks.
    pub fn write(&self, lines: &[u8]) {
        self.queue.push(lines);
    }

    /// Waits until all lines queued so far were written or dropped, at most for `timeout`. Returns false on a timeout.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.queue.wait_until_completed(timeout)
    }

    /// The number of dropped lines.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.queue.dropped()
    }

    /// The number of dropped lines that were not reported yet; 0 until lines can be written again.
    fn take_unreported(&self) -> u64 {
        self.queue.take_unreported()
    }
}

static LOG: OnceLock<Output> = OnceLock::new();

/// Returns the output for standard error, which carries the log. Opens it on the first call.
///
/// # Errors
/// The system's error if it cannot start the thread or duplicate the descriptor.
pub fn open_log() -> io::Result<&'static Output> {
    if let Some(log) = LOG.get() {
        return Ok(log);
    }
    let log = Output::of("log", io::stderr())?;
    Ok(LOG.get_or_init(|| log))
}

/// Waits a moment for the lines queued for standard error, before the process ends.
pub fn flush_log() {
    if let Some(log) = LOG.get() {
        log.flush(FLUSH_TIMEOUT);
    }
}

/// The number of dropped lines of standard error.
pub(crate) fn dropped_log_lines() -> u64 {
    LOG.get().map_or(0, Output::dropped)
}

/// Logs the number of dropped lines, once lines can be written again.
pub(crate) fn report_dropped() {
    let dropped = LOG.get().map_or(0, Output::take_unreported);
    if dropped > 0 {
        tracing::warn!(
            dropped,
            "log lines were dropped: nobody read standard error, or writing to it failed"
        );
    }
}

fn write_all(queue: &Queue, mut sink: impl Write) {
    let mut batch = Vec::new();
    // True if a failed write left an incomplete line, which the next write must end first.
    let mut is_cut = false;
    loop {
        queue.take(&mut batch);
        let written = write_batch(&mut sink, &batch, &mut is_cut);
        queue.complete(&mut batch, written);
    }
}

/// Writes until the batch is complete or a write fails. Returns the number of bytes written.
fn write_batch(sink: &mut impl Write, batch: &[u8], is_cut: &mut bool) -> usize {
    if *is_cut && write(sink, b"\n") == 1 {
        *is_cut = false;
    }
    if *is_cut {
        return 0;
    }
    let mut written = 0;
    while written < batch.len() {
        match write(sink, &batch[written..]) {
            0 => break,
            count => written += count,
        }
    }
    *is_cut = written > 0 && batch[written - 1] != b'\n';
    written
}

/// Writes once. Returns 0 if the write failed.
fn write(sink: &mut impl Write, bytes: &[u8]) -> usize {
    loop {
        match sink.write(bytes) {
            Ok(written) => return written,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(RETRY_PAUSE),
            Err(_) => return 0,
        }
    }
}
