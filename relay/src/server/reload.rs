//! Applies a changed configuration to a running relay, without closing connections that may stay.

use crate::{
    auth::{
        revocations::Revocations,
        signing_keys::{KeyChanges, SigningKeys},
    },
    config::Config,
    connection::{ConnectionContext, Registry},
    http::HttpContext,
    limits::Limits,
    metrics::{ReloadScope, Reloads},
    session::{Marks, SessionConfig},
    settings::Setting,
    stall_detector::StallDetector,
};
use sealwire_protocol::tokens::Keyring;
use std::{sync::Arc, time::Instant};

/// The result of a reload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloaded {
    /// The settings with a new value in force.
    pub changed: Vec<&'static Setting>,
    /// The settings with a new value in the configuration that takes effect only after a restart.
    pub need_restart: Vec<&'static Setting>,
    /// True if new TLS handshakes use another certificate.
    pub certificate: bool,
    /// The signing keys that changed.
    pub keys: KeyChanges,
}

/// The result of a reload of the apps and keys alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReloadedApps {
    /// The signing keys that changed.
    pub keys: KeyChanges,
    /// True if the reload before this one was refused.
    pub recovered: bool,
}

/// The parts of a running relay that a reload changes.
pub(crate) struct Reloader {
    /// The configuration in force.
    pub(crate) config: Config,
    pub(crate) keys: Arc<SigningKeys>,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) stall_detector: Arc<StallDetector>,
    pub(crate) marks: Arc<Marks>,
    pub(crate) connection: Arc<ConnectionContext>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) http: Arc<HttpContext>,
}

impl Reloader {
    /// Applies a new configuration, which was validated when it was loaded. It cannot fail halfway.
    pub(crate) fn apply(&mut self, config: Config) -> Reloaded {
        let mut reloaded = Reloaded::default();
        for setting in Setting::ALL {
            if setting.differs(&self.config.settings, &config.settings) {
                let is_taken = setting.reload(&config.settings, &mut self.config.settings);
                if is_taken { &mut reloaded.changed } else { &mut reloaded.need_restart }.push(setting);
            }
        }
        if let (Some(current), Some(tls)) = (&self.http.tls, config.tls)
            && !current.load().has_same_chain(&tls)
        {
            reloaded.certificate = true;
            self.config.tls = Some(tls.clone());
            current.store(Arc::new(tls));
        }
        // An operator may replace the contents of the file only.
        self.http.admin_token.store(config.admin_token.map(Arc::new));
        let limits = self.http.limits.clone();
        let session_config = session_config(
            &self.config,
            self.keys.clone(),
            self.revocations.clone(),
            limits,
            self.stall_detector.clone(),
            self.marks.clone(),
            (self.connection.broker.has_presence(), self.connection.observation.is_on()),
        );
        self.connection.session_config.store(Arc::new(session_config));
        self.http.limits.set(self.config.settings.clone());
        self.connection.telemetry.set_ratio(self.config.settings.trace_ratio);
        self.connection.memory.set(self.config.settings.memory_bytes);
        reloaded.keys = self.replace_keys(config.keyring);
        self.reloads().accept(ReloadScope::Configuration);
        reloaded
    }

    /// Applies the signing keys of a new configuration.
    pub(crate) fn apply_apps(&mut self, config: Config) -> ReloadedApps {
        let keys = self.replace_keys(config.keyring);
        let recovered = self.reloads().is_refused(ReloadScope::Apps);
        if recovered || keys != KeyChanges::default() {
            self.reloads().accept(ReloadScope::Apps);
        }
        self.confirm_apps_dir();
        ReloadedApps { keys, recovered }
    }

    pub(crate) fn refuse(&self, scope: ReloadScope) {
        self.reloads().refuse(scope);
    }

    pub(crate) fn confirm_apps_dir(&self) {
        self.reloads().confirm_apps_dir(Instant::now());
    }

    fn reloads(&self) -> &Reloads {
        &self.connection.metrics.reloads
    }

    fn replace_keys(&mut self, keyring: Keyring) -> KeyChanges {
        self.config.keyring = keyring;
        // The keys are replaced before the connections are woken to check them.
        let changes = self.keys.replace(self.config.keyring.clone());
        if !changes.removed.is_empty() {
            self.registry.all().iter().for_each(|connection| connection.wake_for_keys());
            self.connection.presences.end_all_graces();
        }
        changes
    }
}

/// The configuration of sessions that open from now on.
pub(super) fn session_config(
    config: &Config,
    keys: Arc<SigningKeys>,
    revocations: Arc<Revocations>,
    limits: Arc<Limits>,
    stall_detector: Arc<StallDetector>,
    marks: Arc<Marks>,
    (has_presence, names_channels): (bool, bool),
) -> SessionConfig {
    SessionConfig {
        keys,
        revocations,
        hello_timeout: config.settings.hello_timeout,
        heartbeat: config.settings.heartbeat,
        replay_window: config.settings.replay_window,
        limits,
        stall_detector,
        marks,
        has_presence,
        names_channels,
    }
}
