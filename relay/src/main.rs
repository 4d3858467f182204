//! The entry point of the `sealwire-relay` binary.

mod cli;

use clap::Parser as _;
use std::process::ExitCode;

/// Unlike glibc's allocator, jemalloc returns the memory of a peak to the system
/// (docs/decisions/0067-jemalloc-in-the-published-relay.md).
#[cfg(all(feature = "jemalloc", target_os = "linux"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let status = cli::Cli::parse().execute().unwrap_or_else(|error| {
        cli::warn(&format!("sealwire-relay: {error}"));
        ExitCode::FAILURE
    });
    sealwire_relay::flush_log();
    status
}
