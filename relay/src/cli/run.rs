//! `sealwire-relay run`: runs the relay until SIGTERM or SIGINT. SIGHUP reloads the configuration, and a change of `apps_dir`
//! reloads the apps.

use super::{
    ConfigArgs,
    loader::{Loaded, Loader},
    logging::{self, Logging},
    print::Notices,
    stop_signal::StopSignal,
};
use sealwire_relay::{Config, Relay, ReloadScope, Risk};
use std::error::Error;
use tokio::signal::unix::{SignalKind, signal};

pub(super) fn run(args: ConfigArgs) -> Result<(), Box<dyn Error>> {
    let config = args.load()?;
    let logging = logging::start(&config)?;
    warn(&config.risks());
    // Every connection needs a file descriptor, and the soft limit is often 1024.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(config, args, &logging))
}

async fn serve(config: Config, args: ConfigArgs, logging: &Logging) -> Result<(), Box<dyn Error>> {
    // The handlers are installed before the address is printed, so that no signal is lost.
    let mut stop = StopSignal::new()?;
    let mut hangup = signal(SignalKind::hangup())?;
    let relay = Relay::start(config.clone()).await?;
    let mut loader = Loader::start(args, config)?;
    let notices = Notices::start();
    notices.print(&format!("listening on {}\n", relay.endpoint()));
    if let Some(address) = relay.admin_address() {
        notices.print(&format!("operators: http://{address}/metrics\n"));
    }
    tracing::info!(endpoint = %relay.endpoint(), version = env!("CARGO_PKG_VERSION"), "the relay is up");
    loop {
        tokio::select! {
            () = stop.received() => break,
            _ = hangup.recv() => {
                if !loader.request() {
                    tracing::error!("the configuration cannot be reloaded after a panic; restart the relay");
                }
            }
            loaded = loader.next() => apply(loaded, &relay, logging),
        }
    }
    tracing::info!("draining; a second signal ends the relay at once");
    tokio::select! {
        left = relay.shut_down() => match left {
            0 => tracing::info!("every client has left"),
            left => tracing::warn!(left, "drain_deadline has passed; cutting off the remaining clients"),
        },
        () = stop.received() => tracing::warn!("received a second signal; ending at once"),
    }
    notices.finish();
    Ok(())
}

/// Applies a configuration that was loaded. An invalid one changes nothing.
fn apply(loaded: Loaded, relay: &Relay, logging: &Logging) {
    match loaded {
        Loaded::Configuration(Ok(config)) => reload(*config, relay, logging),
        // Neither error quotes a signing key.
        Loaded::Configuration(Err(error)) => {
            relay.refuse_reload(ReloadScope::Configuration);
            tracing::error!(%error, "the configuration was not reloaded; the previous one stays in force");
        }
        Loaded::AppsRefused(error) => {
            relay.refuse_reload(ReloadScope::Apps);
            tracing::error!(%error, "apps_dir was not reloaded; the previous apps and keys stay in force");
        }
        Loaded::Apps(config, risks) => reload_apps(*config, &risks, relay),
        Loaded::AppsUnchanged => relay.confirm_apps_dir(),
    }
}

fn reload(config: Config, relay: &Relay, logging: &Logging) {
    logging.reload(&config);
    warn(&config.risks());
    let reloaded = relay.reload(config);
    for setting in &reloaded.need_restart {
        tracing::warn!(setting = setting.key(), "needs a restart; the previous value stays in force");
    }
    let changed: Vec<_> = reloaded.changed.iter().map(|setting| setting.key()).collect();
    let (added, removed) = (&reloaded.keys.added, &reloaded.keys.removed);
    let certificate = reloaded.certificate;
    tracing::info!(?changed, certificate, keys_added = ?added, keys_removed = ?removed, "the configuration was reloaded");
}

/// Reloads the apps. Logs nothing if nothing has changed.
fn reload_apps(config: Config, new_risks: &[Risk], relay: &Relay) {
    warn(new_risks);
    let reloaded = relay.reload_apps(config);
    let (added, removed) = (&reloaded.keys.added, &reloaded.keys.removed);
    if reloaded.recovered || !added.is_empty() || !removed.is_empty() {
        tracing::info!(keys_added = ?added, keys_removed = ?removed, "apps_dir was reloaded");
    }
}

fn warn(risks: &[Risk]) {
    for risk in risks {
        tracing::warn!("{risk}");
    }
}
