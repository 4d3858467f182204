//! Where log lines go: standard error, as text or JSON.

use sealwire_relay::{Config, LogFormat};
use std::io::{self, IsTerminal as _};
use tracing_subscriber::{EnvFilter, fmt};

/// What is logged, changed while the program runs.
pub(super) struct Logging {
    replace: Box<dyn Fn(EnvFilter)>,
}

/// Starts logging.
pub(super) fn start(config: &Config) -> Logging {
    let builder =
        fmt().with_env_filter(filter(config)).with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    // Replacing fails only once the subscriber is gone, which is never.
    match config.log_format {
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
    }
}

impl Logging {
    /// Goes on with the new configuration's filter.
    pub(super) fn reload(&self, config: &Config) {
        (self.replace)(filter(config));
    }
}

fn filter(config: &Config) -> EnvFilter {
    EnvFilter::builder().parse_lossy(&config.log)
}
