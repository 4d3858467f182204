//! `sealwire-relay run`: until a signal asks it to end.

use super::logging;
use sealwire_relay::{Config, Relay};
use std::{
    error::Error,
    io::{self, Write as _},
};
use tokio::signal::unix::{SignalKind, signal};

pub(super) fn run(config: Config) -> Result<(), Box<dyn Error>> {
    logging::start(&config);
    for risk in config.risks() {
        tracing::warn!("{risk}");
    }
    // A connection is a file descriptor; the soft limit is often 1024.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(config))
}

async fn serve(config: Config) -> Result<(), Box<dyn Error>> {
    // Before anybody is told where it listens, so that a signal is never lost.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let relay = Relay::start(config).await?;
    println!("listening on http://{}", relay.address());
    io::stdout().flush()?;
    tracing::info!(address = %relay.address(), version = env!("CARGO_PKG_VERSION"), "the relay is up");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("shutting down");
    relay.shut_down().await;
    Ok(())
}
