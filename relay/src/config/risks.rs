//! What a relay runs with and its operator may not want. `sealwire-relay check-config` and the start of a relay tell it.

use super::{Config, Origin};
use crate::{
    clock::Now,
    connection::TLS_SESSION,
    memory,
    settings::{Listen, key},
};
use std::{fmt, fs, os::unix::fs::PermissionsExt as _, time::Duration};
use tracing_subscriber::filter::Targets;

/// Whoever renews certificates by machine has done so long before so many days are left.
const RENEWAL_DAYS: u64 = 7;
/// Silence after which proxies commonly cut a connection off.
const PROXY_IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// A setting that works, and what may come of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// Where it stands.
    pub origin: Origin,
    /// What may come of it, and what to write instead.
    pub problem: String,
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.problem)
    }
}

impl Config {
    /// Everything about it that is risky, in the order of the settings.
    #[must_use]
    pub fn risks(&self) -> Vec<Risk> {
        let mut risks = Vec::new();
        let mut add = |setting: &'static str, problem: &str| {
            risks.push(Risk { origin: Origin::Setting(setting), problem: problem.to_owned() });
        };
        let nothing_kept = "nothing is kept, so every client that reconnects is told that it missed messages";
        if matches!(self.settings.listen, Listen::Unix(_)) && self.settings.socket_mode & 0o002 != 0 {
            add(
                key!(socket_mode),
                "every user of the machine may connect, and is believed as a proxy; put the proxy into the group",
            );
        }
        for (setting, problem) in self.proxy_risks() {
            add(setting, &problem);
        }
        if self.settings.replay_window.is_zero() {
            add(key!(replay_window), nothing_kept);
        }
        if self.settings.replay_bytes == 0 {
            add(key!(replay_bytes), nothing_kept);
        }
        if self.settings.max_connections_per_address >= self.settings.max_connections {
            add(
                key!(max_connections_per_address),
                "one address can take every connection that there is; keep it well below max_connections",
            );
        }
        if let Some(problem) = self.too_many_connections() {
            add(key!(max_connections), &problem);
        }
        if self.settings.allowed_origins.are_all() {
            add(
                key!(allowed_origins),
                "every page that a user opens may use the relay from the user's network; list the apps' origins",
            );
        }
        if self.settings.replay_bytes > self.settings.memory_bytes / 2 {
            add(
                key!(replay_bytes),
                "more than half of memory_bytes, so the cache is cut short before it is full; give the relay more memory, \
                 or replay less",
            );
        }
        if self.settings.heartbeat >= PROXY_IDLE_TIMEOUT {
            add(
                key!(heartbeat),
                "many proxies cut a connection off that is silent for 60 s; keep it below that",
            );
        }
        let now = Now::read().wall.seconds();
        if let Some(tls) = &self.tls
            && let days @ 0..RENEWAL_DAYS = tls.expires().0.saturating_sub(now.0) / (24 * 60 * 60)
        {
            let problem = format!("the certificate expires in {days} days; is its renewal working?");
            add(key!(tls_certificate), &problem);
        }
        // Checked when it was read.
        let filter: Targets = self.settings.log.parse().unwrap_or_default();
        if !filter.would_enable("audit", &tracing::Level::WARN) {
            add(
                key!(log),
                "the audit log is off, so refused attempts leave no trace; add ',audit=warn' to keep it",
            );
        }
        if filter.would_enable("sealwire_relay", &tracing::Level::DEBUG) {
            add(
                key!(log),
                "levels below info are for searching a fault and cost speed; write 'info' after it",
            );
        }
        risks.extend(self.secret_files.iter().filter_map(|path| {
            let mode = fs::metadata(path).ok()?.permissions().mode();
            (mode & 0o007 != 0).then(|| Risk {
                origin: Origin::File(path.clone(), String::new()),
                problem: format!(
                    "holds a key and its mode {:o} lets every user of the machine at it; run 'chmod o= {}'",
                    mode & 0o777,
                    path.display()
                ),
            })
        }));
        risks
    }
}

impl Config {
    /// The risk of more connections than there is memory for.
    fn too_many_connections(&self) -> Option<String> {
        const MIB: usize = 1024 * 1024;
        let (most, budget) = (self.settings.max_connections, self.settings.memory_bytes);
        let (session, kind) = if self.tls.is_some() { (TLS_SESSION as usize, " in TLS") } else { (0, "") };
        let fit = memory::idle_connections(budget, session);
        (fit < most).then(|| {
            let needed = memory::budget_for(most, session).div_ceil(MIB);
            format!(
                "memory_bytes has room for {fit} idle connections{kind}, and newcomers are refused beyond that; set \
                 max_connections to at most {fit}, or memory_bytes to at least {needed}MiB"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    /// The defaults, for a relay that knows of the proxy on its machine.
    fn good() -> Config {
        let settings = Settings { trusted_proxies: "127.0.0.1".parse().unwrap(), ..Settings::default() };
        Config { settings, ..Config::default() }
    }

    #[test]
    fn every_risky_setting_is_told_and_the_other_defaults_are_not() {
        assert_eq!(good().risks(), []);
        let set = |change: fn(&mut Config)| {
            let mut config = good();
            change(&mut config);
            config.risks().iter().map(Risk::to_string).collect::<Vec<_>>()
        };
        for (change, expected) in [
            (
                (|config| config.settings.replay_window = Duration::ZERO) as fn(&mut Config),
                "setting replay_window: nothing",
            ),
            (
                |config| {
                    (config.settings.listen, config.settings.socket_mode) =
                        (Listen::Unix("/run/s".into()), 0o666);
                },
                "setting socket_mode: every user",
            ),
            (|config| config.settings.replay_bytes = 0, "setting replay_bytes: nothing is kept"),
            (
                |config| config.settings.trusted_proxies = Default::default(),
                "setting trusted_proxies: is empty, so that behind",
            ),
            (
                |config| config.settings.trusted_proxies = "0.0.0.0/0".parse().unwrap(),
                "setting trusted_proxies: 0.0.0.0/0 is far more",
            ),
            (
                |config| {
                    config.settings.allowed_origins = "*".parse().unwrap();
                },
                "setting allowed_origins: every page",
            ),
            (|config| config.settings.replay_bytes = 513 << 20, "setting replay_bytes: more than half"),
            (
                |config| (config.settings.memory_bytes, config.settings.replay_bytes) = (256 << 20, 64 << 20),
                "setting max_connections: memory_bytes has room for 65536 idle connections, and newcomers are refused \
                 beyond that; set max_connections to at most 65536, or memory_bytes to at least 391MiB",
            ),
            (
                |config| config.settings.max_connections = 300_000,
                "setting max_connections: memory_bytes has room for 262144 idle connections, and",
            ),
            (|config| config.settings.heartbeat = Duration::from_secs(60), "setting heartbeat: many proxies"),
            (|config| config.settings.log = "error".into(), "setting log: the audit log is off"),
            (|config| config.settings.log = "info,audit=off".into(), "setting log: the audit log is off"),
            (|config| config.settings.log = "debug".into(), "setting log: levels below info"),
            (
                |config| config.settings.log = "info,sealwire_relay=trace".into(),
                "setting log: levels below info",
            ),
        ] {
            let risks = set(change);
            assert_eq!(risks.len(), 1, "{risks:?}");
            assert!(risks[0].starts_with(expected), "{risks:?}");
        }
        for log in ["off,audit=warn", "warn", "info,hyper=debug"] {
            let mut config = good();
            config.settings.log = log.into();
            assert_eq!(config.risks(), [], "{log}");
        }
    }

    #[test]
    fn a_key_that_everybody_can_read_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (mode, told) in [(0o600, false), (0o640, false), (0o644, true), (0o602, true)] {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
            let config = Config { secret_files: vec![file.path().into()], ..good() };
            let risks = config.risks();
            assert_eq!(risks.len(), usize::from(told), "{mode:o} {risks:?}");
            assert!(risks.iter().all(|risk| risk.problem.contains(&format!("mode {mode:o}"))));
        }
    }
}
