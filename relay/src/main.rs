//! The entry point of the `sealwire-relay` binary.

mod cli;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let status = cli::Cli::parse().execute().unwrap_or_else(|error| {
        cli::warn(&format!("sealwire-relay: {error}"));
        ExitCode::FAILURE
    });
    sealwire_relay::flush_log();
    status
}
