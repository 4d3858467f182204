//! A changed configuration for a relay that runs: what can change does, without touching a connection that may stay.

use crate::{
    auth::{
        revocations::Revocations,
        signing_keys::{KeyChanges, SigningKeys},
    },
    config::Config,
    connection::{ConnectionContext, Registry},
    http::HttpContext,
    limits::Limits,
    session::SessionConfig,
    settings::Setting,
    stall_detector::StallDetector,
};
use std::sync::Arc;

/// What became of a new configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloaded {
    /// Settings that have another value now.
    pub changed: Vec<&'static Setting>,
    /// Settings that have another value in the configuration, and keep the former one until the relay is restarted.
    pub need_restart: Vec<&'static Setting>,
    /// Whether new handshakes get another certificate.
    pub certificate: bool,
    /// Signing keys.
    pub keys: KeyChanges,
}

/// Everything of a running relay that a reload reaches.
pub(crate) struct Reload {
    /// The configuration that is in force.
    pub(crate) config: Config,
    pub(crate) keys: Arc<SigningKeys>,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) stall_detector: Arc<StallDetector>,
    pub(crate) connection: Arc<ConnectionContext>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) http: Arc<HttpContext>,
}

impl Reload {
    /// Takes over what can change. The configuration is good already: nothing here fails halfway.
    pub(crate) fn apply(&mut self, config: Config) -> Reloaded {
        let mut reloaded = Reloaded::default();
        for setting in Setting::ALL {
            if setting.differs(&self.config.settings, &config.settings) {
                let is_taken = setting.reload(&config.settings, &mut self.config.settings);
                if is_taken { &mut reloaded.changed } else { &mut reloaded.need_restart }.push(setting);
            }
        }
        self.config.keyring = config.keyring;
        if let (Some(shown), Some(tls)) = (&self.http.tls, config.tls)
            && !shown.load().shows_the_same_as(&tls)
        {
            reloaded.certificate = true;
            self.config.tls = Some(tls.clone());
            shown.store(Arc::new(tls));
        }
        let limits = self.http.limits.clone();
        let terms = terms(
            &self.config,
            self.keys.clone(),
            self.revocations.clone(),
            limits,
            self.stall_detector.clone(),
        );
        self.connection.session_config.store(Arc::new(terms));
        self.http.limits.set(self.config.settings.clone());
        self.connection.memory.set(self.config.settings.memory_bytes);
        // Before the connections hear of it.
        reloaded.keys = self.keys.replace(self.config.keyring.clone());
        if !reloaded.keys.removed.is_empty() {
            self.registry.all().iter().for_each(|connection| connection.wake_for_keys());
        }
        reloaded
    }
}

/// What sessions are held to that begin under this configuration.
pub(crate) fn terms(
    config: &Config,
    keys: Arc<SigningKeys>,
    revocations: Arc<Revocations>,
    limits: Arc<Limits>,
    stall_detector: Arc<StallDetector>,
) -> SessionConfig {
    SessionConfig {
        keys,
        revocations,
        hello_timeout: config.settings.hello_timeout,
        heartbeat: config.settings.heartbeat,
        replay_window: config.settings.replay_window,
        limits,
        stall_detector,
    }
}
