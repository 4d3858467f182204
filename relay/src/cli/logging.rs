//! The log: writes log lines and the messages of panics to standard error, as text or JSON.

use anstream::{AutoStream, ColorChoice};
use sealwire_relay::{Config, LogFormat, Output, open_log};
use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io,
    panic::{self, PanicHookInfo},
    thread,
};
use tracing_subscriber::{
    EnvFilter,
    fmt::{
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
};

/// The filter of the log, which a reload replaces.
pub(super) struct Logging {
    replace: Box<dyn Fn(EnvFilter)>,
}

/// The writer of one log line. Writing neither blocks nor fails.
struct Line(&'static Output);

impl io::Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts logging.
///
/// # Errors
/// The system's error if it cannot start the thread that writes the log.
pub(super) fn start(config: &Config) -> io::Result<Logging> {
    let log = open_log()?;
    log_panics(log, config.settings.log_format);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(config))
        .with_writer(move || Line(log))
        .with_ansi(AutoStream::choice(&io::stderr()) != ColorChoice::Never)
        .log_internal_errors(false);
    // Replacing the filter fails only after the subscriber is dropped, which never happens.
    Ok(match config.settings.log_format {
        LogFormat::Json => {
            let builder = builder.json().flatten_event(true).with_filter_reloading();
            let handle = builder.reload_handle();
            builder.init();
            Logging { replace: Box::new(move |filter| drop(handle.reload(filter))) }
        }
        _ => {
            let builder = builder.with_filter_reloading();
            let handle = builder.reload_handle();
            builder.init();
            Logging { replace: Box::new(move |filter| drop(handle.reload(filter))) }
        }
    })
}

impl Logging {
    /// Applies the filter of a new configuration.
    pub(super) fn reload(&self, config: &Config) {
        (self.replace)(filter(config));
    }
}

fn filter(config: &Config) -> EnvFilter {
    EnvFilter::builder().parse_lossy(&config.settings.log)
}

/// Writes the messages of panics through the log's output, independent of the filter. The standard hook would write to
/// standard error directly, and block if its reader is stalled. `tracing` is not used, because it may be the cause.
fn log_panics(log: &'static Output, format: LogFormat) {
    panic::set_hook(Box::new(move |info| {
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        log.write(panic_line(info, backtrace, format).as_bytes());
    }));
}

fn panic_line(info: &PanicHookInfo<'_>, backtrace: Option<String>, format: LogFormat) -> String {
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    let message = info.payload_as_str().unwrap_or("a panic without a message");
    let thread = thread::current().name().unwrap_or("unnamed").to_owned();
    let mut timestamp = String::new();
    // A message without a time is still useful.
    let _ = SystemTime.format_time(&mut Writer::new(&mut timestamp));
    match format {
        LogFormat::Json => {
            let line = serde_json::json!({
                "timestamp": timestamp,
                "level": "ERROR",
                "message": message,
                "target": "panic",
                "thread": thread,
                "location": location,
                "backtrace": backtrace,
            });
            format!("{line}\n")
        }
        _ => {
            let backtrace = backtrace.map(|text| format!("\n{}", text.trim_end())).unwrap_or_default();
            format!("{timestamp} ERROR panic: {message:?} thread={thread:?} location={location}{backtrace}\n")
        }
    }
}
