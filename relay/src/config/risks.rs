//! Risks: settings that are valid and that an operator may not want. `sealwire-relay check-config` and the start of a relay
//! report them.

use super::{
    Config, ConfigOrigin,
    file_risks::{readable_secret, unread_file, writable_directory},
    risk::Risk,
};
use crate::{
    clock::Now,
    connection::TLS_SESSION,
    memory,
    settings::{Listen, Settings, key},
};
use std::time::Duration;
use tracing_subscriber::filter::Targets;

/// The number of days before a certificate's expiry at which the risk is reported. Automatic renewal normally happens well
/// before this; fewer days left suggest that renewal is broken.
const RENEWAL_DAYS: u64 = 7;
/// The silence after which proxies commonly close a connection.
const PROXY_IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// The checks of single settings and pairs of settings. Those of `trusted_proxies` are in `proxy_risks`.
const CHECKS: &[fn(&Config) -> Option<Problem>] = &[
    socket_mode,
    tls_certificate,
    replay_window,
    replay_bytes,
    heartbeat,
    max_connections,
    max_connections_per_address,
    allowed_origins,
    admin_token_file,
    audit_log,
    log_level,
    otlp_endpoint,
    trace_ratio,
];

/// The key of a setting, and its risk.
type Problem = (&'static str, String);

impl Config {
    /// Returns every risk of the configuration.
    #[must_use]
    pub fn risks(&self) -> Vec<Risk> {
        let problems = CHECKS.iter().filter_map(|check| check(self)).chain(self.proxy_risks());
        let of_settings =
            problems.map(|(setting, problem)| Risk { origin: ConfigOrigin::Setting(setting), problem });
        let of_files = self.secret_files.iter().filter_map(|path| readable_secret(path));
        of_settings.chain(of_files).chain(self.apps_dir_risks()).collect()
    }

    /// Returns the risks of the directory `apps_dir` and of its files.
    #[must_use]
    pub fn apps_dir_risks(&self) -> Vec<Risk> {
        let directory = self.settings.apps_dir.iter().filter_map(|path| writable_directory(path));
        let secrets = self.apps_dir.secret_files.iter().filter_map(|path| readable_secret(path));
        directory.chain(secrets).chain(self.apps_dir.unread.iter().map(|path| unread_file(path))).collect()
    }
}

fn socket_mode(Config { settings, .. }: &Config) -> Option<Problem> {
    let is_open = matches!(settings.listen, Listen::Unix(_)) && settings.socket_mode & 0o002 != 0;
    let problem = "every user of the machine may connect, and is believed as a proxy; add the proxy to the socket's group";
    is_open.then(|| (key!(socket_mode), problem.to_owned()))
}

fn tls_certificate(config: &Config) -> Option<Problem> {
    let expires = config.tls.as_ref()?.expires().0;
    let days = expires.saturating_sub(Now::read().wall.seconds().0) / (24 * 60 * 60);
    (days < RENEWAL_DAYS).then(|| {
        let problem = format!("the certificate expires in {days} days; check that its renewal works");
        (key!(tls_certificate), problem)
    })
}

const NO_REPLAY: &str = "no publication is kept, so every client that reconnects gets a gap";

fn replay_window(Config { settings, .. }: &Config) -> Option<Problem> {
    settings.replay_window.is_zero().then(|| (key!(replay_window), NO_REPLAY.to_owned()))
}

fn replay_bytes(Config { settings, .. }: &Config) -> Option<Problem> {
    let problem = match settings.replay_bytes {
        0 => NO_REPLAY,
        bytes if bytes > settings.memory_bytes / 2 => {
            "is more than half of memory_bytes, so publications are evicted before the cache is full; raise memory_bytes \
             or lower replay_bytes"
        }
        _ => return None,
    };
    Some((key!(replay_bytes), problem.to_owned()))
}

fn heartbeat(Config { settings, .. }: &Config) -> Option<Problem> {
    let problem = "many proxies close a connection after 60 s of silence; use a shorter interval";
    (settings.heartbeat >= PROXY_IDLE_TIMEOUT).then(|| (key!(heartbeat), problem.to_owned()))
}

/// The risk of more connections than there is memory for.
fn max_connections(config: &Config) -> Option<Problem> {
    const MIB: usize = 1024 * 1024;
    let (max, budget) = (config.settings.max_connections, config.settings.memory_bytes);
    let (session, kind) = if config.tls.is_some() { (TLS_SESSION as usize, " in TLS") } else { (0, "") };
    let fit = memory::idle_connections(budget, session);
    (fit < max).then(|| {
        let needed = memory::budget_for(max, session).div_ceil(MIB);
        let problem = format!(
            "memory_bytes has room for {fit} idle connections{kind}, and further ones are refused; set max_connections to \
             at most {fit}, or memory_bytes to at least {needed}MiB"
        );
        (key!(max_connections), problem)
    })
}

fn max_connections_per_address(Config { settings, .. }: &Config) -> Option<Problem> {
    let problem = "one address can take every connection; keep it well below max_connections";
    (settings.max_connections_per_address >= settings.max_connections)
        .then(|| (key!(max_connections_per_address), problem.to_owned()))
}

fn allowed_origins(Config { settings, .. }: &Config) -> Option<Problem> {
    let problem = "every page that a user opens may use the relay from the user's network; list the origins of your apps";
    settings.allowed_origins.allow_any().then(|| (key!(allowed_origins), problem.to_owned()))
}

/// The risk of a token that crosses a network in plain text.
fn admin_token_file(Config { settings, .. }: &Config) -> Option<Problem> {
    let problem = "the console receives the token in plain text at an address that other machines can reach; listen on \
                   127.0.0.1 and forward the port, for example with 'ssh -L'";
    let crosses_a_network = settings.admin_listen.is_some_and(|address| !address.ip().is_loopback());
    (crosses_a_network && settings.admin_token_file.is_some())
        .then(|| (key!(admin_token_file), problem.to_owned()))
}

fn audit_log(config: &Config) -> Option<Problem> {
    let problem = "the audit log is off, so refused attempts leave no trace; add ',audit=warn' to keep it";
    (!log_filter(config).would_enable("audit", &tracing::Level::WARN))
        .then(|| (key!(log), problem.to_owned()))
}

fn log_level(config: &Config) -> Option<Problem> {
    let problem =
        "levels below info are for debugging and cost performance; set it back to 'info' afterwards";
    log_filter(config)
        .would_enable("sealwire_relay", &tracing::Level::DEBUG)
        .then(|| (key!(log), problem.to_owned()))
}

fn otlp_endpoint(Config { settings, .. }: &Config) -> Option<Problem> {
    let endpoint = settings.otlp_endpoint.as_ref()?;
    let problem = if endpoint.has_grpc_port() {
        "4317 is the port of collectors for gRPC, and the relay uses HTTP; set the port for HTTP, normally 4318"
    } else if !endpoint.has_tls() && !endpoint.is_local() {
        "traces are sent to another machine in plain text; use https unless only your own machines reach that network"
    } else {
        return None;
    };
    Some((key!(otlp_endpoint), problem.to_owned()))
}

fn trace_ratio(Config { settings, .. }: &Config) -> Option<Problem> {
    let is_unused =
        settings.otlp_endpoint.is_none() && settings.trace_ratio != Settings::default().trace_ratio;
    is_unused.then(|| (key!(trace_ratio), "has no effect while otlp_endpoint is off".to_owned()))
}

/// The filter, which was validated when the configuration was read.
fn log_filter(config: &Config) -> Targets {
    config.settings.log.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt as _};

    /// The defaults, for a relay that trusts the proxy on its machine.
    fn good() -> Config {
        let settings = Settings { trusted_proxies: "127.0.0.1".parse().unwrap(), ..Settings::default() };
        Config { settings, ..Config::default() }
    }

    type Change = fn(&mut Settings);

    /// Asserts that each change to the good settings is one risk, whose text begins as expected.
    fn assert_risks(cases: &[(Change, &str)]) {
        for (change, expected) in cases {
            let mut config = good();
            change(&mut config.settings);
            let risks: Vec<_> = config.risks().iter().map(Risk::to_string).collect();
            assert_eq!(risks.len(), 1, "{risks:?}");
            assert!(risks[0].starts_with(expected), "{risks:?}");
        }
    }

    #[test]
    fn the_defaults_behind_a_trusted_proxy_are_no_risk() {
        assert_eq!(good().risks(), []);
    }

    #[test]
    fn every_risk_of_listening_and_of_origins_is_reported() {
        assert_risks(&[
            (
                |settings| {
                    (settings.listen, settings.socket_mode) = (Listen::Unix("/run/s".into()), 0o666);
                },
                "setting socket_mode: every user",
            ),
            (
                |settings| settings.trusted_proxies = Default::default(),
                "setting trusted_proxies: is empty, so behind",
            ),
            (
                |settings| settings.trusted_proxies = "0.0.0.0/0".parse().unwrap(),
                "setting trusted_proxies: 0.0.0.0/0 is too large",
            ),
            (
                |settings| settings.allowed_origins = "*".parse().unwrap(),
                "setting allowed_origins: every page",
            ),
            (|settings| settings.heartbeat = Duration::from_secs(60), "setting heartbeat: many proxies"),
        ]);
    }

    #[test]
    fn every_risk_of_replay_and_memory_is_reported() {
        assert_risks(&[
            (
                |settings| settings.replay_window = Duration::ZERO,
                "setting replay_window: no publication is kept",
            ),
            (|settings| settings.replay_bytes = 0, "setting replay_bytes: no publication is kept"),
            (|settings| settings.replay_bytes = 513 << 20, "setting replay_bytes: is more than half"),
            (
                |settings| (settings.memory_bytes, settings.replay_bytes) = (256 << 20, 64 << 20),
                "setting max_connections: memory_bytes has room for 65536 idle connections, and further ones are refused; \
                 set max_connections to at most 65536, or memory_bytes to at least 391MiB",
            ),
            (
                |settings| settings.max_connections = 300_000,
                "setting max_connections: memory_bytes has room for 262144 idle connections, and",
            ),
        ]);
    }

    #[test]
    fn a_token_that_crosses_a_network_in_plain_text_is_reported() {
        assert_risks(&[(
            |settings| {
                settings.admin_listen = Some("10.0.0.1:7441".parse().unwrap());
                settings.admin_token_file = Some("token".into());
            },
            "setting admin_token_file: the console receives the token in plain text",
        )]);
    }

    #[test]
    fn every_risk_of_the_log_is_reported() {
        assert_risks(&[
            (|settings| settings.log = "error".into(), "setting log: the audit log is off"),
            (|settings| settings.log = "info,audit=off".into(), "setting log: the audit log is off"),
            (|settings| settings.log = "debug".into(), "setting log: levels below info"),
            (|settings| settings.log = "info,sealwire_relay=trace".into(), "setting log: levels below info"),
        ]);
        for log in ["off,audit=warn", "warn", "info,hyper=debug"] {
            let mut config = good();
            config.settings.log = log.into();
            assert_eq!(config.risks(), [], "{log}");
        }
    }

    #[test]
    fn every_risk_of_traces_is_reported() {
        assert_risks(&[
            (
                |settings| settings.otlp_endpoint = Some("https://a:4317".parse().unwrap()),
                "setting otlp_endpoint: 4317 is the port of collectors for gRPC",
            ),
            (
                |settings| settings.otlp_endpoint = Some("http://collector:4318".parse().unwrap()),
                "setting otlp_endpoint: traces are sent to another machine in plain text",
            ),
            (
                |settings| settings.trace_ratio = "1".parse().unwrap(),
                "setting trace_ratio: has no effect while otlp_endpoint is off",
            ),
        ]);
        for endpoint in ["http://127.0.0.1:4318", "https://collector:4318"] {
            let mut config = good();
            config.settings.otlp_endpoint = Some(endpoint.parse().unwrap());
            config.settings.trace_ratio = "1".parse().unwrap();
            assert_eq!(config.risks(), [], "{endpoint}");
        }
    }

    #[test]
    fn a_key_that_every_user_can_access_is_reported() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (mode, is_risky) in [(0o600, false), (0o640, false), (0o644, true), (0o602, true)] {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
            let config = Config { secret_files: vec![file.path().into()], ..good() };
            let risks = config.risks();
            assert_eq!(risks.len(), usize::from(is_risky), "{mode:o} {risks:?}");
            assert!(risks.iter().all(|risk| risk.problem.contains(&format!("mode {mode:o}"))));
        }
    }
}
