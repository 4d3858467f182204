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
    if let Some(address) = relay.admin_address() {
        println!("operators: http://{address}/metrics");
    }
    io::stdout().flush()?;
    tracing::info!(address = %relay.address(), version = env!("CARGO_PKG_VERSION"), "the relay is up");
    let mut asked = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    asked().await;
    tracing::info!("draining; a second signal ends at once");
    tokio::select! {
        left = relay.shut_down() => match left {
            0 => tracing::info!("every client has left"),
            left => tracing::warn!(left, "the deadline has come; cutting off the clients that are left"),
        },
        () = asked() => tracing::warn!("a second signal; ending at once"),
    }
    Ok(())
}
