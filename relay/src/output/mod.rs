//! The output of the process: a thread of its own writes it, so a reader that is slow, stalled or gone never delays or ends
//! anything else. Lines that cannot be written are dropped and counted.
//!
//! `tracing-appender` has such a writer, but it loses lines to failed writes without counting them, bounds its queue by
//! lines instead of bytes, and prints (which may block or panic) where the reader is stalled at the end.

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

/// Most bytes that wait to be written, the batch that is being written included.
const MAX_BYTES: usize = 1024 * 1024;
/// Pause before another attempt where the descriptor is non-blocking and full: another process chose that for it.
const FULL_PAUSE: Duration = Duration::from_millis(10);
/// Time for which the end of the process waits for lines that are still queued.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// A destination of lines.
#[derive(Clone, Debug)]
pub struct Output {
    queue: Arc<Queue>,
}

impl Output {
    /// Starts the thread that writes to `sink`; it lasts as long as the process.
    ///
    /// # Errors
    /// The system's error, if it gives no thread.
    pub fn start(name: &str, sink: impl Write + Send + 'static) -> io::Result<Self> {
        let queue = Arc::new(Queue::new(MAX_BYTES));
        let taken = queue.clone();
        thread::Builder::new().name(name.to_owned()).spawn(move || write_all(&taken, sink))?;
        Ok(Self { queue })
    }

    /// Starts the thread for one of the process's own descriptors, without the lock of the standard library's handle.
    ///
    /// # Errors
    /// The system's error, if it gives no thread or no descriptor.
    pub fn of(name: &str, descriptor: impl AsFd) -> io::Result<Self> {
        Self::start(name, File::from(descriptor.as_fd().try_clone_to_owned()?))
    }

    /// Queues whole lines, or drops them where there is no room. Never waits.
    pub fn write(&self, lines: &[u8]) {
        self.queue.push(lines);
    }

    /// Waits until everything that is queued now was written or dropped, or until `patience` is over. Returns which of
    /// the two it was.
    pub fn flush(&self, patience: Duration) -> bool {
        self.queue.wait_until_settled(patience)
    }

    /// The number of lines that were dropped.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.queue.dropped()
    }

    /// The number of lines that were dropped and not reported yet, once lines can be written again.
    fn take_report(&self) -> u64 {
        self.queue.take_report()
    }
}

static LOG: OnceLock<Output> = OnceLock::new();

/// Standard error of the process, which the log goes to. Opens it the first time.
///
/// # Errors
/// The system's error, if it gives no thread or no descriptor.
pub fn open_log() -> io::Result<&'static Output> {
    if let Some(log) = LOG.get() {
        return Ok(log);
    }
    let log = Output::of("log", io::stderr())?;
    Ok(LOG.get_or_init(|| log))
}

/// Gives the lines that are still queued for standard error a moment before the process ends.
pub fn flush_log() {
    if let Some(log) = LOG.get() {
        log.flush(FLUSH_TIMEOUT);
    }
}

/// The number of lines for standard error that were dropped.
pub(crate) fn dropped_log_lines() -> u64 {
    LOG.get().map_or(0, Output::dropped)
}

/// Says in the log how many of its lines were dropped, once there is somebody to say it to.
pub(crate) fn report_dropped() {
    let dropped = LOG.get().map_or(0, Output::take_report);
    if dropped > 0 {
        tracing::warn!(
            dropped,
            "log lines were dropped: nobody read standard error, or writing to it failed"
        );
    }
}

fn write_all(queue: &Queue, mut sink: impl Write) {
    let mut batch = Vec::new();
    // A failed write may have left a line without its end.
    let mut is_cut = false;
    loop {
        queue.take(&mut batch);
        let written = write_batch(&mut sink, &batch, &mut is_cut);
        queue.settle(&mut batch, written);
    }
}

/// Writes until all is written or a write fails. Returns how many bytes of the batch were written.
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

/// Writes once. Zero where that failed.
fn write(sink: &mut impl Write, bytes: &[u8]) -> usize {
    loop {
        match sink.write(bytes) {
            Ok(written) => return written,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(FULL_PAUSE),
            Err(_) => return 0,
        }
    }
}
