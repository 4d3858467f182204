//! How the value of each setting is read; `effective` writes it.

use super::{
    Config, LogFormat, Setting, error,
    settings::{AUTO, OFF},
    units,
};
use crate::limits::AllowedOrigins;
use sealwire_protocol::limits;
use std::{fmt::Debug, net::SocketAddr, path::PathBuf, time::Duration};

/// Smallest budget of memory, in bytes.
const MIN_MEMORY: usize = 64 * 1024 * 1024;
/// Bounds of a request's head, in bytes: hyper takes no smaller buffer, and a head is not counted among the memory.
const MIN_HEAD: usize = 8 * 1024;
const MAX_HEAD: usize = 64 * 1024;

impl Setting {
    /// Reads a value into the configuration. Says what is wrong with it otherwise.
    pub(super) fn apply(self, config: &mut Config, text: &str) -> Result<(), String> {
        self.read(config, text).map_err(|problem| problem.replace(text, &error::quotable(text)))
    }

    fn read(self, config: &mut Config, text: &str) -> Result<(), String> {
        match self {
            Self::Listen => config.listen = text.parse()?,
            Self::SocketMode => config.socket_mode = mode(text)?,
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
            Self::MaxSubscriptionsPerApp => config.limits.max_subscriptions_per_app = units::amount(text, 0)?,
            Self::PublishRate => config.limits.publishes.per_second = units::amount(text, 1)?,
            Self::PublishBurst => {
                config.limits.publishes.burst =
                    at_least(units::amount(text, 1)?, limits::MAX_BATCH, "one batch", text)?
            }
            Self::PublishByteRate => config.limits.publish_bytes.per_second = or_auto(text, byte_rate)?,
            Self::PublishByteBurst => {
                let least = |text: &str| at_least(byte_rate(text)?, limits::MAX_BODY, "one batch", text);
                config.limits.publish_bytes.burst = or_auto(text, least)?;
            }
            Self::PublishRatePerApp => {
                config.limits.app_publishes.per_second = or_auto(text, |text| units::amount(text, 1))?
            }
            Self::PublishBurstPerApp => {
                let least =
                    |text: &str| at_least(units::amount(text, 1)?, limits::MAX_BATCH, "one batch", text);
                config.limits.app_publishes.burst = or_auto(text, least)?;
            }
            Self::ReplayRate => config.limits.replays.per_second = byte_rate(text)?,
            Self::ReplayBurst => config.limits.replays.burst = byte_rate(text)?,
            Self::ReplayRatePerSession => config.limits.session_replays.per_second = byte_rate(text)?,
            Self::ReplayBurstPerSession => config.limits.session_replays.burst = byte_rate(text)?,
            Self::DisconnectRate => config.limits.disconnects.per_second = units::amount(text, 1)?,
            Self::DisconnectBurst => config.limits.disconnects.burst = units::amount(text, 1)?,
            Self::FrameRate => config.limits.frames.per_second = units::amount(text, 1)?,
            Self::FrameBurst => config.limits.frames.burst = units::amount(text, 1)?,
            Self::ByteRate => config.limits.bytes.per_second = byte_rate(text)?,
            Self::ByteBurst => {
                config.limits.bytes.burst =
                    at_least(units::bytes(text)?, 2 * limits::MAX_FRAME, "two messages", text)? as u64
            }
            Self::AllowedOrigins => config.limits.allowed_origins = AllowedOrigins::parse(text)?,
            Self::MemoryBytes => {
                config.limits.memory_bytes =
                    at_least(units::bytes(text)?, MIN_MEMORY, "the relay gets along with", text)?;
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
            Self::HeadBytes => {
                config.limits.head_bytes = within(units::bytes(text)?, MIN_HEAD, MAX_HEAD, text)?
            }
            Self::BodyTimeout => {
                config.limits.body_timeout =
                    within(units::duration(text)?, Duration::from_millis(100), Duration::from_secs(60), text)?
            }
            Self::WriteTimeout => {
                config.limits.write_timeout =
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

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("'{text}' is no address to listen on; write an IP address and a port, such as 127.0.0.1:7440")
    })
}

/// Always four digits: what is meant by fewer of them, or by a number of TOML, would be a guess.
fn mode(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|_| text.len() == 4 && text.starts_with('0'));
    mode.ok_or_else(|| {
        format!("'{text}' is no mode; write 0 and three octal digits as text, such as \"0660\"")
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

/// A value, or nothing where it follows from other settings.
fn or_auto<V>(text: &str, read: impl FnOnce(&str) -> Result<V, String>) -> Result<Option<V>, String> {
    if text == AUTO {
        Ok(None)
    } else {
        read(text).map(Some).map_err(|problem| format!("{problem}; or auto"))
    }
}

/// Bytes in some time; none would never come to an end.
fn byte_rate(text: &str) -> Result<u64, String> {
    Ok(at_least(units::bytes(text)?, 1, "one byte", text)? as u64)
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

fn within<V: Copy + PartialOrd + Debug>(value: V, min: V, max: V, text: &str) -> Result<V, String> {
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(format!("'{text}' is not between {min:?} and {max:?}"))
    }
}
