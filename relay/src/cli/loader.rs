//! Loads the configuration on a thread of its own, so that a file system that hangs stops neither the relay nor its
//! shutdown. It loads at each request, and when `apps_dir` has changed.

use super::ConfigArgs;
use sealwire_relay::{AppsDirWatch, Config, ConfigError, Look, Risk};
use std::{
    io,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    thread,
    time::Duration,
};
use tokio::sync::mpsc;

/// The interval between two looks at `apps_dir`. A change is read at the second look after it.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// A configuration that the thread loaded, or the reason why it did not.
pub(super) enum Loaded {
    /// The whole configuration, as requested.
    Configuration(Result<Box<Config>, ConfigError>),
    /// The configuration with the apps of `apps_dir`, and the risks that it did not have before.
    Apps(Box<Config>, Vec<Risk>),
    AppsRefused(ConfigError),
    /// The apps in force are those of `apps_dir`.
    AppsUnchanged,
}

/// The handle of the thread, which ends when the handle is dropped.
pub(super) struct Loader {
    requests: SyncSender<()>,
    loaded: mpsc::Receiver<Loaded>,
}

impl Loader {
    /// Starts the thread with the configuration in force.
    ///
    /// # Errors
    /// The system's error if it cannot start a thread.
    pub(super) fn start(args: ConfigArgs, config: Config) -> io::Result<Self> {
        // One request suffices: loading begins after it was taken.
        let (requests, requested) = sync_channel(1);
        let (sender, loaded) = mpsc::channel(1);
        let actor = Actor { args, config, watch: AppsDirWatch::default() };
        thread::Builder::new()
            .name("configuration".to_owned())
            .spawn(move || actor.run(&requested, &sender))?;
        Ok(Self { requests, loaded })
    }

    /// Requests to load the whole configuration. Returns false if the thread has ended, after a panic.
    pub(super) fn request(&self) -> bool {
        !matches!(self.requests.try_send(()), Err(TrySendError::Disconnected(())))
    }

    /// Waits for the next result. Never returns if the thread has ended.
    pub(super) async fn next(&mut self) -> Loaded {
        match self.loaded.recv().await {
            Some(loaded) => loaded,
            None => std::future::pending().await,
        }
    }
}

struct Actor {
    args: ConfigArgs,
    /// The last valid configuration.
    config: Config,
    watch: AppsDirWatch,
}

impl Actor {
    fn run(mut self, requests: &Receiver<()>, loaded: &mpsc::Sender<Loaded>) {
        loop {
            let request = match self.config.settings.apps_dir {
                Some(_) => requests.recv_timeout(LOOK_INTERVAL),
                None => requests.recv().map_err(RecvTimeoutError::from),
            };
            let result = match request {
                Ok(()) => Some(self.load()),
                Err(RecvTimeoutError::Timeout) => self.look(),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if result.is_some_and(|result| loaded.blocking_send(result).is_err()) {
                return;
            }
        }
    }

    fn load(&mut self) -> Loaded {
        Loaded::Configuration(self.args.load().map(|config| {
            self.config = config.clone();
            self.watch = AppsDirWatch::default();
            Box::new(config)
        }))
    }

    fn look(&mut self) -> Option<Loaded> {
        match self.watch.look(&self.config) {
            Look::Unchanged => Some(Loaded::AppsUnchanged),
            Look::Read(config) => {
                let mut risks = config.apps_dir_risks();
                let before = self.config.apps_dir_risks();
                risks.retain(|risk| !before.contains(risk));
                self.config = (*config).clone();
                Some(Loaded::Apps(config, risks))
            }
            Look::Refused(error) => Some(Loaded::AppsRefused(error)),
            _ => None,
        }
    }
}
