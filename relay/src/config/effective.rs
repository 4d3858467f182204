//! The configuration that is in force, written as a file would have it; `sealwire-relay check-config` prints it.

use super::{
    Config, LogFormat, Setting,
    settings::{AUTO, OFF},
    units,
};
use std::{collections::BTreeMap, fmt::Write as _, path::Path};

impl Setting {
    /// The value in force, as it stands in a file.
    #[must_use]
    pub fn value(self, config: &Config) -> String {
        let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let bytes = |bytes: u64| text(&units::bytes_text(usize::try_from(bytes).unwrap_or(usize::MAX)));
        let auto = |given: Option<String>| given.unwrap_or_else(|| text(AUTO));
        match self {
            Self::Listen => text(&config.listen.to_string()),
            Self::SocketMode => text(&format!("{:04o}", config.socket_mode)),
            Self::TlsCertificate => text(&path(config.tls_certificate.as_deref())),
            Self::TlsKey => text(&path(config.tls_key.as_deref())),
            Self::ProxyTerminatesTls => config.proxy_terminates_tls.to_string(),
            Self::TrustedProxies => text(&config.trusted_proxies.to_string()),
            Self::ProxyProtocol => config.proxy_protocol.to_string(),
            Self::ReplayWindow => text(&units::duration_text(config.replay_window)),
            Self::ReplayBytes => text(&units::bytes_text(config.replay_bytes)),
            Self::QueueBytes => text(&units::bytes_text(config.queue_bytes)),
            Self::Heartbeat => text(&units::duration_text(config.heartbeat)),
            Self::HelloTimeout => text(&units::duration_text(config.hello_timeout)),
            Self::MaxConnections => config.limits.max_connections.to_string(),
            Self::MaxConnectionsPerAddress => config.limits.max_connections_per_address.to_string(),
            Self::MaxSessionsPerApp => config.limits.max_sessions_per_app.to_string(),
            Self::MaxSessionsPerInstallation => config.limits.max_sessions_per_installation.to_string(),
            Self::MaxSessionsPerAccount => config.limits.max_sessions_per_account.to_string(),
            Self::MaxSubscriptions => config.limits.max_subscriptions.to_string(),
            Self::MaxSubscriptionsPerApp => config.limits.max_subscriptions_per_app.to_string(),
            Self::PublishRate => config.limits.publishes.per_second.to_string(),
            Self::PublishBurst => config.limits.publishes.burst.to_string(),
            Self::PublishByteRate => auto(config.limits.publish_bytes.per_second.map(bytes)),
            Self::PublishByteBurst => auto(config.limits.publish_bytes.burst.map(bytes)),
            Self::PublishRatePerApp => {
                auto(config.limits.app_publishes.per_second.map(|given| given.to_string()))
            }
            Self::PublishBurstPerApp => {
                auto(config.limits.app_publishes.burst.map(|given| given.to_string()))
            }
            Self::ReplayRate => bytes(config.limits.replays.per_second),
            Self::ReplayBurst => bytes(config.limits.replays.burst),
            Self::ReplayRatePerSession => bytes(config.limits.session_replays.per_second),
            Self::ReplayBurstPerSession => bytes(config.limits.session_replays.burst),
            Self::DisconnectRate => config.limits.disconnects.per_second.to_string(),
            Self::DisconnectBurst => config.limits.disconnects.burst.to_string(),
            Self::FrameRate => config.limits.frames.per_second.to_string(),
            Self::FrameBurst => config.limits.frames.burst.to_string(),
            Self::ByteRate => bytes(config.limits.bytes.per_second),
            Self::ByteBurst => bytes(config.limits.bytes.burst),
            Self::AllowedOrigins => text(&config.limits.allowed_origins.to_string()),
            Self::MemoryBytes => text(&units::bytes_text(config.limits.memory_bytes)),
            Self::IdleTimeout => text(&units::duration_text(config.limits.idle_timeout)),
            Self::HeadTimeout => text(&units::duration_text(config.limits.head_timeout)),
            Self::KeepAlive => text(&units::duration_text(config.limits.keep_alive)),
            Self::HeadBytes => text(&units::bytes_text(config.limits.head_bytes)),
            Self::BodyTimeout => text(&units::duration_text(config.limits.body_timeout)),
            Self::WriteTimeout => text(&units::duration_text(config.limits.write_timeout)),
            Self::AdminListen => match config.admin_listen {
                Some(address) => text(&address.to_string()),
                None => text(OFF),
            },
            Self::AdminPublic => config.admin_public.to_string(),
            Self::DrainWindow => text(&units::duration_text(config.drain_window)),
            Self::DrainDeadline => text(&units::duration_text(config.drain_deadline)),
            Self::Log => text(&config.log),
            Self::LogFormat => text(match config.log_format {
                LogFormat::Text => "text",
                LogFormat::Json => "json",
            }),
        }
    }
}

impl Config {
    /// Every setting with the value in force, in TOML; the apps as comments, with the `kid`s of their keys and no key.
    #[must_use]
    pub fn effective(&self) -> String {
        let mut lines = String::new();
        for setting in Setting::ALL {
            let _ = writeln!(lines, "{} = {}", setting.key(), setting.value(self));
        }
        let mut apps = BTreeMap::<&str, Vec<&str>>::new();
        for (kid, app) in self.keyring.iter() {
            apps.entry(app).or_default().push(kid);
        }
        for (app, kids) in apps {
            let _ = writeln!(lines, "# app {app:?}, signing keys: {}", kids.join(", "));
        }
        lines
    }
}

fn path(path: Option<&Path>) -> String {
    path.map_or_else(|| OFF.to_owned(), |path| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{NewApp, Overrides, template};
    use std::fs;

    fn load(text: &str) -> Config {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("relay.toml");
        fs::write(&path, text).unwrap();
        Config { secret_files: Vec::new(), ..Config::load(Some(&path), [], &Overrides::default()).unwrap() }
    }

    #[test]
    fn what_is_printed_is_a_configuration_that_says_the_same() {
        let app = NewApp::generate("an \"app\"\nof ours".into()).unwrap();
        let defaults = template(&app, "127.0.0.1:7440".parse().unwrap(), false);
        let changed = defaults
            .replace("listen = \"127.0.0.1:7440\"", "listen = \"[::1]:0\"\nproxy_terminates_tls = true")
            .replace("\"2m\"", "\"1500ms\"")
            .replace("\"256MiB\"", "1000001")
            .replace("\"25s\"", "\"90s\"")
            .replace("\"info\"", "\"warn,audit=info\"")
            .replace("\"text\"", "\"json\"");
        for text in [&**defaults, &*changed] {
            let config = load(text);
            let printed = config.effective();
            let apps = &text[text.find("[[app]]").unwrap()..];
            assert_eq!(format!("{:?}", load(&format!("{printed}{apps}"))), format!("{config:?}"));
        }
        assert_ne!(load(&defaults).effective(), load(&changed).effective());
    }

    #[test]
    fn what_is_printed_names_keys_and_holds_none() {
        let app = NewApp::generate("a".into()).unwrap();
        let printed = load(&template(&app, "127.0.0.1:7440".parse().unwrap(), false)).effective();
        let (kid, secret) = app.signing_key.split_once('.').unwrap();
        assert!(printed.ends_with(&format!("\n# app \"a\", signing keys: {kid}\n")), "{printed}");
        assert!(!printed.contains(&secret[..8]), "{printed}");
    }
}
