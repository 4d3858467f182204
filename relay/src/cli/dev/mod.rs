//! `sealwire-relay dev`: runs a relay for development beside `forge tunnel`. It keeps its configuration in a folder, writes the
//! tunnel's variables beside it, and shows what clients do.

mod folder;
mod hints;
mod journal;
mod names;
mod pace;
mod paint;

use super::{config_args::environment, logging, print::Notices, stop_signal::StopSignal};
use clap::Args;
use folder::Folder;
use journal::Journal;
use paint::Paint;
use sealwire_relay::{Config, Endpoint, Output, Overrides, Relay, Setting, StartError};
use std::{
    error::Error,
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::time::interval;

const DEFAULT_APP: &str = "dev";
const DEFAULT_LISTEN: &str = "127.0.0.1:7440";
/// The interval at which the log reports the lines that it left out.
const TICK: Duration = Duration::from_secs(1);
/// The log of the relay itself: refusals are in the log of activity.
const LOG: &str = "warn,audit=off";

#[derive(Args)]
pub(super) struct Dev {
    /// The app's id; the variables for `forge tunnel` carry it.
    #[arg(long, value_name = "ID", default_value = DEFAULT_APP)]
    app: String,
    /// The address to listen on [default: that of the folder's dev.toml, at first 127.0.0.1:7440].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// The folder for the configuration and the variables; it is created at the first start.
    #[arg(long, value_name = "FOLDER", default_value = ".sealwire")]
    folder: PathBuf,
    /// Replace the app's signing key. `forge tunnel` then needs the new variables.
    #[arg(long)]
    new_key: bool,
}

impl Dev {
    pub(super) fn execute(self) -> Result<(), Box<dyn Error>> {
        let Self { app, listen, folder, new_key } = self;
        let first_listen = listen.unwrap_or(DEFAULT_LISTEN.parse()?);
        let folder = Folder::open(folder, &app, first_listen, new_key)?;
        let listen = listen.map(|address| address.to_string());
        let flags = [("listen", listen), ("log", Some(LOG.to_owned()))];
        let flags = flags.into_iter().fold(Overrides::default(), |flags, (key, value)| {
            flags.with(Setting::find(key).expect("the table has the setting"), value)
        });
        let config = Config::load(Some(&folder.config()), environment(), &flags)?;
        logging::start(&config)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(serve(config, &folder))
    }
}

async fn serve(config: Config, folder: &Folder) -> Result<(), Box<dyn Error>> {
    // The handlers are installed before the address is printed, so that no signal is lost.
    let mut stop = StopSignal::new()?;
    let output = Output::of("stdout", io::stdout())?;
    let journal = Arc::new(Journal::new(output, Paint::of_stdout()));
    let listen = config.settings.listen.to_string();
    let relay =
        Relay::start_observed(config, journal.clone()).await.map_err(|error| explain(error, &listen))?;
    let Endpoint::Tcp { address, .. } = *relay.endpoint() else {
        return Err("the setting listen must be an address such as 127.0.0.1:7440 for `dev`".into());
    };
    let exports = folder.write_exports(address)?;
    let notices = Notices::start();
    notices.print(&folder.introduction(relay.endpoint(), &exports));
    let mut tick = interval(TICK);
    loop {
        tokio::select! {
            () = stop.received() => break,
            _ = tick.tick() => journal.tick(SystemTime::now()),
        }
    }
    journal.close();
    tokio::select! {
        _ = relay.shut_down() => {}
        () = stop.received() => {}
    }
    journal.finish();
    Ok(())
}

/// Explains the most common error of a start, an address that is in use.
fn explain(error: StartError, listen: &str) -> Box<dyn Error> {
    match error {
        StartError::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => format!(
            "{listen} is in use, perhaps by another relay; end that process, or listen on another port: \
             sealwire-relay dev --listen 127.0.0.1:7450"
        )
        .into(),
        error => error.into(),
    }
}
