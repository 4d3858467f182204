//! `sealwire-relay run`: runs the relay until SIGTERM or SIGINT. SIGHUP reloads the configuration.

use super::{
    ConfigArgs,
    logging::{self, Logging},
    print::Notices,
};
use sealwire_relay::{Config, Relay};
use std::error::Error;
use tokio::signal::unix::{SignalKind, signal};

pub(super) fn run(args: ConfigArgs) -> Result<(), Box<dyn Error>> {
    let config = args.load()?;
    let logging = logging::start(&config)?;
    for risk in config.risks() {
        tracing::warn!("{risk}");
    }
    // Every connection needs a file descriptor, and the soft limit is often 1024.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(config, &args, &logging))
}

async fn serve(config: Config, args: &ConfigArgs, logging: &Logging) -> Result<(), Box<dyn Error>> {
    // The handlers are installed before the address is printed, so that no signal is lost.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hangup = signal(SignalKind::hangup())?;
    let relay = Relay::start(config).await?;
    let notices = Notices::start();
    notices.print(&format!("listening on {}\n", relay.endpoint()));
    if let Some(address) = relay.admin_address() {
        notices.print(&format!("operators: http://{address}/metrics\n"));
    }
    tracing::info!(endpoint = %relay.endpoint(), version = env!("CARGO_PKG_VERSION"), "the relay is up");
    let mut stop_signal = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    loop {
        tokio::select! {
            () = stop_signal() => break,
            _ = hangup.recv() => reload(&relay, args, logging),
        }
    }
    tracing::info!("draining; a second signal ends the relay at once");
    tokio::select! {
        left = relay.shut_down() => match left {
            0 => tracing::info!("every client has left"),
            left => tracing::warn!(left, "drain_deadline has passed; cutting off the remaining clients"),
        },
        () = stop_signal() => tracing::warn!("received a second signal; ending at once"),
    }
    notices.finish();
    Ok(())
}

/// Reloads the configuration from the same sources. An invalid configuration changes nothing.
fn reload(relay: &Relay, args: &ConfigArgs, logging: &Logging) {
    let config = match args.load() {
        Ok(config) => config,
        // The error never quotes a signing key.
        Err(error) => {
            tracing::error!(%error, "the configuration was not reloaded; the previous one stays in force");
            return;
        }
    };
    logging.reload(&config);
    for risk in config.risks() {
        tracing::warn!("{risk}");
    }
    let reloaded = relay.reload(config);
    for setting in &reloaded.need_restart {
        tracing::warn!(setting = setting.key(), "needs a restart; the previous value stays in force");
    }
    let changed: Vec<_> = reloaded.changed.iter().map(|setting| setting.key()).collect();
    let (added, removed) = (&reloaded.keys.added, &reloaded.keys.removed);
    let certificate = reloaded.certificate;
    tracing::info!(?changed, certificate, keys_added = ?added, keys_removed = ?removed, "the configuration was reloaded");
}
