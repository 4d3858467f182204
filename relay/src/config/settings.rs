//! Every setting: its key in the file, its variable, its flag, and whether a reload changes it. The one list of them.

use super::Config;

/// What stands for no file and no address.
pub(super) const OFF: &str = "off";

/// The value that follows from other settings.
pub(super) const AUTO: &str = "auto";

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
    /// [`Config::socket_mode`].
    SocketMode,
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
    /// `max_subscriptions_per_app` of [`Config::limits`].
    MaxSubscriptionsPerApp,
    /// `publish_rate` of [`Config::limits`].
    PublishRate,
    /// `publish_burst` of [`Config::limits`].
    PublishBurst,
    /// `publish_byte_rate` of [`Config::limits`].
    PublishByteRate,
    /// `publish_byte_burst` of [`Config::limits`].
    PublishByteBurst,
    /// `publish_rate_per_app` of [`Config::limits`].
    PublishRatePerApp,
    /// `publish_burst_per_app` of [`Config::limits`].
    PublishBurstPerApp,
    /// `replay_rate` of [`Config::limits`].
    ReplayRate,
    /// `replay_burst` of [`Config::limits`].
    ReplayBurst,
    /// `replay_rate_per_session` of [`Config::limits`].
    ReplayRatePerSession,
    /// `replay_burst_per_session` of [`Config::limits`].
    ReplayBurstPerSession,
    /// `disconnect_rate` of [`Config::limits`].
    DisconnectRate,
    /// `disconnect_burst` of [`Config::limits`].
    DisconnectBurst,
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
    /// `keep_alive` of [`Config::limits`].
    KeepAlive,
    /// `head_bytes` of [`Config::limits`].
    HeadBytes,
    /// `body_timeout` of [`Config::limits`].
    BodyTimeout,
    /// `write_timeout` of [`Config::limits`].
    WriteTimeout,
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
        Self::SocketMode,
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
        Self::MaxSubscriptionsPerApp,
        Self::PublishRate,
        Self::PublishBurst,
        Self::PublishByteRate,
        Self::PublishByteBurst,
        Self::PublishRatePerApp,
        Self::PublishBurstPerApp,
        Self::ReplayRate,
        Self::ReplayBurst,
        Self::ReplayRatePerSession,
        Self::ReplayBurstPerSession,
        Self::DisconnectRate,
        Self::DisconnectBurst,
        Self::FrameRate,
        Self::FrameBurst,
        Self::ByteRate,
        Self::ByteBurst,
        Self::AllowedOrigins,
        Self::MemoryBytes,
        Self::IdleTimeout,
        Self::HeadTimeout,
        Self::KeepAlive,
        Self::HeadBytes,
        Self::BodyTimeout,
        Self::WriteTimeout,
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
            Self::SocketMode => "socket_mode",
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
            Self::MaxSubscriptionsPerApp => "max_subscriptions_per_app",
            Self::PublishRate => "publish_rate",
            Self::PublishBurst => "publish_burst",
            Self::PublishByteRate => "publish_byte_rate",
            Self::PublishByteBurst => "publish_byte_burst",
            Self::PublishRatePerApp => "publish_rate_per_app",
            Self::PublishBurstPerApp => "publish_burst_per_app",
            Self::ReplayRate => "replay_rate",
            Self::ReplayBurst => "replay_burst",
            Self::ReplayRatePerSession => "replay_rate_per_session",
            Self::ReplayBurstPerSession => "replay_burst_per_session",
            Self::DisconnectRate => "disconnect_rate",
            Self::DisconnectBurst => "disconnect_burst",
            Self::FrameRate => "frame_rate",
            Self::FrameBurst => "frame_burst",
            Self::ByteRate => "byte_rate",
            Self::ByteBurst => "byte_burst",
            Self::AllowedOrigins => "allowed_origins",
            Self::MemoryBytes => "memory_bytes",
            Self::IdleTimeout => "idle_timeout",
            Self::HeadTimeout => "head_timeout",
            Self::KeepAlive => "keep_alive",
            Self::HeadBytes => "head_bytes",
            Self::BodyTimeout => "body_timeout",
            Self::WriteTimeout => "write_timeout",
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
            Self::MaxSubscriptionsPerApp => {
                to.limits.max_subscriptions_per_app = from.limits.max_subscriptions_per_app
            }
            Self::PublishRate => to.limits.publishes.per_second = from.limits.publishes.per_second,
            Self::PublishBurst => to.limits.publishes.burst = from.limits.publishes.burst,
            Self::PublishByteRate => {
                to.limits.publish_bytes.per_second = from.limits.publish_bytes.per_second
            }
            Self::PublishByteBurst => to.limits.publish_bytes.burst = from.limits.publish_bytes.burst,
            Self::PublishRatePerApp => {
                to.limits.app_publishes.per_second = from.limits.app_publishes.per_second
            }
            Self::PublishBurstPerApp => to.limits.app_publishes.burst = from.limits.app_publishes.burst,
            Self::ReplayRate => to.limits.replays.per_second = from.limits.replays.per_second,
            Self::ReplayBurst => to.limits.replays.burst = from.limits.replays.burst,
            Self::ReplayRatePerSession => {
                to.limits.session_replays.per_second = from.limits.session_replays.per_second
            }
            Self::ReplayBurstPerSession => {
                to.limits.session_replays.burst = from.limits.session_replays.burst
            }
            Self::DisconnectRate => to.limits.disconnects.per_second = from.limits.disconnects.per_second,
            Self::DisconnectBurst => to.limits.disconnects.burst = from.limits.disconnects.burst,
            Self::FrameRate => to.limits.frames.per_second = from.limits.frames.per_second,
            Self::FrameBurst => to.limits.frames.burst = from.limits.frames.burst,
            Self::ByteRate => to.limits.bytes.per_second = from.limits.bytes.per_second,
            Self::ByteBurst => to.limits.bytes.burst = from.limits.bytes.burst,
            Self::AllowedOrigins => to.limits.allowed_origins.clone_from(&from.limits.allowed_origins),
            Self::MemoryBytes => to.limits.memory_bytes = from.limits.memory_bytes,
            Self::IdleTimeout => to.limits.idle_timeout = from.limits.idle_timeout,
            Self::HeadTimeout => to.limits.head_timeout = from.limits.head_timeout,
            Self::KeepAlive => to.limits.keep_alive = from.limits.keep_alive,
            Self::HeadBytes => to.limits.head_bytes = from.limits.head_bytes,
            Self::BodyTimeout => to.limits.body_timeout = from.limits.body_timeout,
            Self::WriteTimeout => to.limits.write_timeout = from.limits.write_timeout,
            Self::Log => to.log.clone_from(&from.log),
            _ => return false,
        }
        true
    }
}
