//! Every setting: its key in the file, its variable, its flag, and how its value is read. The one list of them.

use super::{Config, error, units};
use crate::limits::AllowedOrigins;
use sealwire_protocol::limits;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// What stands for no file and no address.
pub(super) const OFF: &str = "off";

/// Smallest budget of memory, in bytes.
const LEAST_MEMORY: usize = 64 * 1024 * 1024;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// A setting with one value; apps and their keys are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Setting {
    /// [`Config::listen`].
    Listen,
    /// [`Config::tls_certificate`].
    TlsCertificate,
    /// [`Config::tls_key`].
    TlsKey,
    /// [`Config::proxy_terminates_tls`].
    ProxyTerminatesTls,
    /// [`Config::trusted_proxies`].
    TrustedProxies,
    /// [`Config::proxy_protocol`].
    ProxyProtocol,
    /// [`Config::replay_window`].
    ReplayWindow,
    /// [`Config::replay_bytes`].
    ReplayBytes,
    /// [`Config::queue_bytes`].
    QueueBytes,
    /// [`Config::heartbeat`].
    Heartbeat,
    /// [`Config::hello_timeout`].
    HelloTimeout,
    /// `max_connections` of [`Config::limits`].
    MaxConnections,
    /// `max_connections_per_address` of [`Config::limits`].
    MaxConnectionsPerAddress,
    /// `max_sessions_per_app` of [`Config::limits`].
    MaxSessionsPerApp,
    /// `max_sessions_per_installation` of [`Config::limits`].
    MaxSessionsPerInstallation,
    /// `max_sessions_per_account` of [`Config::limits`].
    MaxSessionsPerAccount,
    /// `max_subscriptions` of [`Config::limits`].
    MaxSubscriptions,
    /// `publish_rate` of [`Config::limits`].
    PublishRate,
    /// `publish_burst` of [`Config::limits`].
    PublishBurst,
    /// `frame_rate` of [`Config::limits`].
    FrameRate,
    /// `frame_burst` of [`Config::limits`].
    FrameBurst,
    /// `byte_rate` of [`Config::limits`].
    ByteRate,
    /// `byte_burst` of [`Config::limits`].
    ByteBurst,
    /// `allowed_origins` of [`Config::limits`].
    AllowedOrigins,
    /// `memory_bytes` of [`Config::limits`].
    MemoryBytes,
    /// `idle_timeout` of [`Config::limits`].
    IdleTimeout,
    /// `head_timeout` of [`Config::limits`].
    HeadTimeout,
    /// `body_timeout` of [`Config::limits`].
    BodyTimeout,
    /// [`Config::admin_listen`].
    AdminListen,
    /// [`Config::admin_public`].
    AdminPublic,
    /// [`Config::drain_window`].
    DrainWindow,
    /// [`Config::drain_deadline`].
    DrainDeadline,
    /// [`Config::log`].
    Log,
    /// [`Config::log_format`].
    LogFormat,
}

impl Setting {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Listen,
        Self::TlsCertificate,
        Self::TlsKey,
        Self::ProxyTerminatesTls,
        Self::TrustedProxies,
        Self::ProxyProtocol,
        Self::ReplayWindow,
        Self::ReplayBytes,
        Self::QueueBytes,
        Self::Heartbeat,
        Self::HelloTimeout,
        Self::MaxConnections,
        Self::MaxConnectionsPerAddress,
        Self::MaxSessionsPerApp,
        Self::MaxSessionsPerInstallation,
        Self::MaxSessionsPerAccount,
        Self::MaxSubscriptions,
        Self::PublishRate,
        Self::PublishBurst,
        Self::FrameRate,
        Self::FrameBurst,
        Self::ByteRate,
        Self::ByteBurst,
        Self::AllowedOrigins,
        Self::MemoryBytes,
        Self::IdleTimeout,
        Self::HeadTimeout,
        Self::BodyTimeout,
        Self::AdminListen,
        Self::AdminPublic,
        Self::DrainWindow,
        Self::DrainDeadline,
        Self::Log,
        Self::LogFormat,
    ];

    /// The key in the file.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::TlsCertificate => "tls_certificate",
            Self::TlsKey => "tls_key",
            Self::ProxyTerminatesTls => "proxy_terminates_tls",
            Self::TrustedProxies => "trusted_proxies",
            Self::ProxyProtocol => "proxy_protocol",
            Self::ReplayWindow => "replay_window",
            Self::ReplayBytes => "replay_bytes",
            Self::QueueBytes => "queue_bytes",
            Self::Heartbeat => "heartbeat",
            Self::HelloTimeout => "hello_timeout",
            Self::MaxConnections => "max_connections",
            Self::MaxConnectionsPerAddress => "max_connections_per_address",
            Self::MaxSessionsPerApp => "max_sessions_per_app",
            Self::MaxSessionsPerInstallation => "max_sessions_per_installation",
            Self::MaxSessionsPerAccount => "max_sessions_per_account",
            Self::MaxSubscriptions => "max_subscriptions",
            Self::PublishRate => "publish_rate",
            Self::PublishBurst => "publish_burst",
            Self::FrameRate => "frame_rate",
            Self::FrameBurst => "frame_burst",
            Self::ByteRate => "byte_rate",
            Self::ByteBurst => "byte_burst",
            Self::AllowedOrigins => "allowed_origins",
            Self::MemoryBytes => "memory_bytes",
            Self::IdleTimeout => "idle_timeout",
            Self::HeadTimeout => "head_timeout",
            Self::BodyTimeout => "body_timeout",
            Self::AdminListen => "admin_listen",
            Self::AdminPublic => "admin_public",
            Self::DrainWindow => "drain_window",
            Self::DrainDeadline => "drain_deadline",
            Self::Log => "log",
            Self::LogFormat => "log_format",
        }
    }

    /// The variable, after `SEALWIRE_RELAY_`.
    #[must_use]
    pub fn variable(self) -> String {
        self.key().to_ascii_uppercase()
    }

    /// The flag.
    #[must_use]
    pub fn flag(self) -> String {
        format!("--{}", self.key().replace('_', "-"))
    }

    /// Whether its value is a path, which in a file is relative to that file.
    pub(super) fn is_path(self) -> bool {
        matches!(self, Self::TlsCertificate | Self::TlsKey)
    }

    /// Whether its value is a list, in a file also one of TOML.
    pub(super) fn is_list(self) -> bool {
        matches!(self, Self::TrustedProxies)
    }

    /// Whether the two configurations have different values.
    pub(crate) fn differs(self, a: &Config, b: &Config) -> bool {
        self.value(a) != self.value(b)
    }

    /// Takes the value over into the configuration of a running relay; false for what only a restart changes.
    pub(crate) fn reload(self, from: &Config, to: &mut Config) -> bool {
        match self {
            // With or without TLS is another matter: the address that clients know changes.
            Self::TlsCertificate if from.tls.is_some() == to.tls.is_some() => {
                to.tls_certificate.clone_from(&from.tls_certificate);
            }
            Self::TlsKey if from.tls.is_some() == to.tls.is_some() => to.tls_key.clone_from(&from.tls_key),
            Self::Heartbeat => to.heartbeat = from.heartbeat,
            Self::HelloTimeout => to.hello_timeout = from.hello_timeout,
            Self::MaxConnections => to.limits.max_connections = from.limits.max_connections,
            Self::MaxConnectionsPerAddress => {
                to.limits.max_connections_per_address = from.limits.max_connections_per_address
            }
            Self::MaxSessionsPerApp => to.limits.max_sessions_per_app = from.limits.max_sessions_per_app,
            Self::MaxSessionsPerInstallation => {
                to.limits.max_sessions_per_installation = from.limits.max_sessions_per_installation
            }
            Self::MaxSessionsPerAccount => {
                to.limits.max_sessions_per_account = from.limits.max_sessions_per_account
            }
            Self::MaxSubscriptions => to.limits.max_subscriptions = from.limits.max_subscriptions,
            Self::PublishRate => to.limits.publishes.per_second = from.limits.publishes.per_second,
            Self::PublishBurst => to.limits.publishes.burst = from.limits.publishes.burst,
            Self::FrameRate => to.limits.frames.per_second = from.limits.frames.per_second,
            Self::FrameBurst => to.limits.frames.burst = from.limits.frames.burst,
            Self::ByteRate => to.limits.bytes.per_second = from.limits.bytes.per_second,
            Self::ByteBurst => to.limits.bytes.burst = from.limits.bytes.burst,
            Self::AllowedOrigins => to.limits.allowed_origins.clone_from(&from.limits.allowed_origins),
            Self::MemoryBytes => to.limits.memory_bytes = from.limits.memory_bytes,
            Self::IdleTimeout => to.limits.idle_timeout = from.limits.idle_timeout,
            Self::HeadTimeout => to.limits.head_timeout = from.limits.head_timeout,
            Self::BodyTimeout => to.limits.body_timeout = from.limits.body_timeout,
            Self::Log => to.log.clone_from(&from.log),
            _ => return false,
        }
        true
    }

    /// Reads a value into the configuration. Says what is wrong with it otherwise.
    pub(super) fn apply(self, config: &mut Config, text: &str) -> Result<(), String> {
        self.read(config, text).map_err(|problem| problem.replace(text, &error::quotable(text)))
    }

    fn read(self, config: &mut Config, text: &str) -> Result<(), String> {
        match self {
            Self::Listen => config.listen = text.parse()?,
            Self::TlsCertificate => config.tls_certificate = file(text),
            Self::TlsKey => config.tls_key = file(text),
            Self::ProxyTerminatesTls => config.proxy_terminates_tls = boolean(text)?,
            Self::TrustedProxies => config.trusted_proxies = text.parse()?,
            Self::ProxyProtocol => config.proxy_protocol = boolean(text)?,
            Self::ReplayWindow => {
                let max = Duration::from_secs(limits::MAX_REPLAY_SECONDS.into());
                config.replay_window = within(units::duration(text)?, Duration::ZERO, max, text)?;
            }
            Self::ReplayBytes => config.replay_bytes = units::bytes(text)?,
            Self::QueueBytes => {
                config.queue_bytes = at_least(units::bytes(text)?, limits::MAX_FRAME, "one message", text)?;
            }
            Self::Heartbeat => {
                let (min, max) = (Duration::from_millis(10), Duration::from_secs(300));
                config.heartbeat = within(units::duration(text)?, min, max, text)?;
            }
            Self::HelloTimeout => {
                let (min, max) = (Duration::from_millis(10), Duration::from_secs(60));
                config.hello_timeout = within(units::duration(text)?, min, max, text)?;
            }
            Self::MaxConnections => config.limits.max_connections = units::amount(text, 0)?,
            Self::MaxConnectionsPerAddress => {
                config.limits.max_connections_per_address = units::amount(text, 0)?
            }
            Self::MaxSessionsPerApp => config.limits.max_sessions_per_app = units::amount(text, 0)?,
            Self::MaxSessionsPerInstallation => {
                config.limits.max_sessions_per_installation = units::amount(text, 0)?
            }
            Self::MaxSessionsPerAccount => config.limits.max_sessions_per_account = units::amount(text, 0)?,
            Self::MaxSubscriptions => {
                config.limits.max_subscriptions = units::amount(text, 1)?;
                if config.limits.max_subscriptions > limits::MAX_SUBSCRIPTIONS {
                    return Err(format!(
                        "'{text}' is more than the protocol has; give at most {}",
                        limits::MAX_SUBSCRIPTIONS
                    ));
                }
            }
            Self::PublishRate => config.limits.publishes.per_second = units::amount(text, 1)?,
            Self::PublishBurst => {
                config.limits.publishes.burst =
                    at_least(units::amount(text, 1)?, limits::MAX_BATCH, "one batch", text)?
            }
            Self::FrameRate => config.limits.frames.per_second = units::amount(text, 1)?,
            Self::FrameBurst => config.limits.frames.burst = units::amount(text, 1)?,
            Self::ByteRate => {
                config.limits.bytes.per_second = at_least(units::bytes(text)?, 1, "one byte", text)? as u64
            }
            Self::ByteBurst => {
                config.limits.bytes.burst =
                    at_least(units::bytes(text)?, 2 * limits::MAX_FRAME, "two messages", text)? as u64
            }
            Self::AllowedOrigins => config.limits.allowed_origins = AllowedOrigins::parse(text)?,
            Self::MemoryBytes => {
                config.limits.memory_bytes =
                    at_least(units::bytes(text)?, LEAST_MEMORY, "the relay gets along with", text)?;
            }
            Self::IdleTimeout => {
                config.limits.idle_timeout = within(
                    units::duration(text)?,
                    Duration::from_secs(1),
                    Duration::from_secs(24 * 60 * 60),
                    text,
                )?
            }
            Self::HeadTimeout => {
                config.limits.head_timeout =
                    within(units::duration(text)?, Duration::from_millis(100), Duration::from_secs(60), text)?
            }
            Self::BodyTimeout => {
                config.limits.body_timeout =
                    within(units::duration(text)?, Duration::from_millis(100), Duration::from_secs(60), text)?
            }
            Self::AdminListen => {
                config.admin_listen = match text {
                    OFF => None,
                    text => Some(address(text).map_err(|problem| format!("{problem}; or off"))?),
                }
            }
            Self::AdminPublic => config.admin_public = boolean(text)?,
            Self::DrainWindow => {
                let max = Duration::from_secs(600);
                config.drain_window = within(units::duration(text)?, Duration::ZERO, max, text)?;
            }
            Self::DrainDeadline => {
                let max = Duration::from_secs(900);
                config.drain_deadline = within(units::duration(text)?, Duration::ZERO, max, text)?;
            }
            Self::Log => config.log = log_filter(text)?,
            Self::LogFormat => {
                config.log_format = match text {
                    "text" => LogFormat::Text,
                    "json" => LogFormat::Json,
                    _ => return Err(error::unknown("format", text, &["text", "json"])),
                }
            }
        }
        Ok(())
    }
}

/// Values from flags, which win over everything else.
#[derive(Clone, Debug, Default)]
pub struct Overrides(Vec<(Setting, String)>);

impl Overrides {
    /// Adds one, where there is one.
    #[must_use]
    pub fn with(mut self, setting: Setting, value: Option<String>) -> Self {
        self.0.extend(value.map(|value| (setting, value)));
        self
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Setting, &str)> {
        self.0.iter().map(|(setting, value)| (*setting, value.as_str()))
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("'{text}' is no address to listen on; write an IP address and a port, such as 127.0.0.1:7440")
    })
}

/// A path, or `off`.
fn file(text: &str) -> Option<PathBuf> {
    (text != OFF).then(|| text.into())
}

fn boolean(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| format!("'{text}' is neither true nor false"))
}

fn log_filter(text: &str) -> Result<String, String> {
    use tracing_subscriber::filter::{LevelFilter, Targets};
    // `Targets` alone would take a misspelt level for the name of a target.
    let levels = text.split(',').all(|part| part.contains('=') || part.trim().parse::<LevelFilter>().is_ok());
    if levels && text.parse::<Targets>().is_ok() {
        return Ok(text.to_owned());
    }
    Err(format!("'{text}' is no log filter; write a level, or targets with levels, such as info,audit=warn"))
}

fn at_least<N>(value: N, least: usize, what: &str, text: &str) -> Result<N, String>
where
    N: Copy + TryInto<usize>,
{
    match value.try_into() {
        Ok(number) if number < least => Err(format!("'{text}' is less than {what}; give at least {least}")),
        _ => Ok(value),
    }
}

fn within(value: Duration, min: Duration, max: Duration, text: &str) -> Result<Duration, String> {
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(format!("'{text}' is not between {min:?} and {max:?}"))
    }
}
