//! The table of settings. A new setting is one row here, its use, and its test.
//!
//! A row has the documentation, the key with the type and the default, the kind of value with its range, and the effect of
//! a reload. The first sentence of the documentation is the help of the flag.

use super::{
    AllowedOrigins, Listen, LogFormat, Rate, Setting,
    kinds::{
        Address, Auto, File, Flag, Format, Kind, LogFilter, Mode, Size, Time, any_size, count, least, own,
        size,
    },
    setting::Reload,
};
use crate::proxies::TrustedProxies;
use sealwire_protocol::limits;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

macro_rules! settings {
    ($($(#[doc = $help:literal])+ $key:ident: $type:ty = $default:expr, $kind:expr, $reload:ident;)+) => {
        /// The value of every setting. Each field is documented by its row in the table.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Settings {
            $($(#[doc = $help])+ pub $key: $type,)+
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($key: $default,)+ }
            }
        }

        pub(super) const ROWS: &[Setting] = &[$(Setting {
            key: stringify!($key),
            help: &[$($help),+],
            value_name: name_of(&$kind),
            is_path: is_path(&$kind),
            is_list: is_list(&$kind),
            reload: Reload::$reload,
            read: |settings, text| {
                settings.$key = $kind.read(text)?;
                Ok(())
            },
            write: |settings| $kind.write(&settings.$key),
            copy: |from, to| to.$key.clone_from(&from.$key),
            schema: || $kind.schema(),
        }),+];
    };
}

const fn name_of<K: Kind>(_: &K) -> &'static str {
    K::NAME
}

const fn is_path<K: Kind>(_: &K) -> bool {
    K::IS_PATH
}

const fn is_list<K: Kind>(_: &K) -> bool {
    K::IS_LIST
}

settings! {
    /// Address and port to listen on (port 0 takes any), `unix:` and the path of a socket, or `systemd`.
    listen: Listen = Listen::Tcp(SocketAddr::from(([127, 0, 0, 1], 7440))), own::<Listen>(), Restart;
    /// Mode of a Unix domain socket, as text: it says which users may connect. A socket of systemd has its `SocketMode=`.
    socket_mode: u32 = 0o660, Mode, Restart;
    /// File of the certificate and its chain, in PEM. A path in the file is relative to the file.
    tls_certificate: Option<PathBuf> = None, File, SameTls;
    /// File of the certificate's private key, in PEM. A path in the file is relative to the file.
    tls_key: Option<PathBuf> = None, File, SameTls;
    /// A proxy in front of the relay ends TLS. Plain text may then leave the machine; see [By a proxy](#by-a-proxy).
    proxy_terminates_tls: bool = false, Flag, Restart;
    /// Addresses and networks of the proxies in front, with commas between them. The relay believes their word on the client's
    /// address. In the file, a list is possible.
    trusted_proxies: TrustedProxies = TrustedProxies::default(), own::<TrustedProxies>(), Restart;
    /// Connections from the trusted proxies begin with a header of the PROXY protocol.
    proxy_protocol: bool = false, Flag, Restart;
    /// Time for which a publication is kept for clients that resume. At most `2m`.
    replay_window: Duration = Duration::from_secs(120),
        Time(0, limits::MAX_REPLAY_SECONDS as u64 * SECOND), Restart;
    /// Most memory for replay, over all channels. The installation that holds most loses its oldest publications first; see
    /// [Fair shares](#fair-shares).
    replay_bytes: usize = 256 * MIB as usize, any_size::<usize>(), Restart;
    /// Most bytes that wait for one client. A client with more is disconnected and resumes. At least `144KiB`.
    queue_bytes: usize = MIB as usize, size::<usize>(least(limits::MAX_FRAME, "one message")), Restart;
    /// Interval of the pings to a client. A client that is silent for two of them is disconnected. `10ms` to `5m`.
    heartbeat: Duration = Duration::from_secs(25), Time(10, 300 * SECOND), Now;
    /// Longest time until a client's first message. `10ms` to `1m`.
    hello_timeout: Duration = Duration::from_secs(10), Time(10, MINUTE), Now;
    /// Most connections of any kind. Past it: 503 `OVERLOADED`.
    max_connections: usize = 100_000, count::<usize>(0), Now;
    /// Most connections of one client address, of IPv6 of one /64 network. Users of a company often share one. Past it: 429
    /// `TOO_MANY_CONNECTIONS`.
    max_connections_per_address: usize = 5_000, count::<usize>(0), Now;
    /// Most sessions of one app. Several sessions may share a connection. Past it: `TOO_MANY_CONNECTIONS`.
    max_sessions_per_app: usize = 100_000, count::<usize>(0), Now;
    /// Most sessions of one installation of an app. Past it: `TOO_MANY_CONNECTIONS`.
    max_sessions_per_installation: usize = 50_000, count::<usize>(0), Now;
    /// Most sessions of one account in one installation. Past it: `TOO_MANY_CONNECTIONS`.
    max_sessions_per_account: usize = 500, count::<usize>(0), Now;
    /// Most subscriptions of one session. 1 to 256. Past it: `TOO_MANY_SUBSCRIPTIONS`.
    max_subscriptions: usize = limits::MAX_SUBSCRIPTIONS,
        count::<usize>(1).at_most(limits::MAX_SUBSCRIPTIONS, "the protocol has"), Now;
    /// Most subscriptions of all sessions of one app. Past it: `TOO_MANY_SUBSCRIPTIONS` with a time to ask again.
    max_subscriptions_per_app: usize = 1_000_000, count::<usize>(0), Now;
    /// Messages that one installation publishes a second, over WebSocket and HTTP together. Past it: `RATE_LIMITED`, 429.
    publish_rate: u64 = 1_000, count::<u64>(1), Now;
    /// Messages that one installation publishes at once. At least 100. Past it: `RATE_LIMITED`, 429.
    publish_burst: u64 = 2_000, count::<u64>(1).at_least(least(limits::MAX_BATCH, "one batch")), Now;
    /// Bytes of sealed messages that one installation publishes a second. `auto` is 16 KiB for each message of
    /// `publish_rate`. Past it: `RATE_LIMITED`, 429.
    publish_byte_rate: Option<u64> = None, Auto(size::<u64>(least(1, "one byte"))), Now;
    /// Bytes of sealed messages that one installation publishes at once. At least `2MiB`; `auto` is 64 KiB for each message of
    /// `publish_burst`. Past it: `RATE_LIMITED`, 429.
    publish_byte_burst: Option<u64> = None, Auto(size::<u64>(least(limits::MAX_BODY, "one batch"))), Now;
    /// Messages that all installations of one app publish a second. `auto` is ten times `publish_rate`. Past it:
    /// `RATE_LIMITED`, 429.
    publish_rate_per_app: Option<u64> = None, Auto(count::<u64>(1)), Now;
    /// Messages that all installations of one app publish at once. At least 100; `auto` is ten times `publish_burst`. Past it:
    /// `RATE_LIMITED`, 429.
    publish_burst_per_app: Option<u64> = None,
        Auto(count::<u64>(1).at_least(least(limits::MAX_BATCH, "one batch"))), Now;
    /// Bytes that are replayed to the sessions of one installation a second. Past it: `RATE_LIMITED`.
    replay_rate: u64 = 64 * MIB, size::<u64>(least(1, "one byte")), Now;
    /// Bytes that are replayed to the sessions of one installation at once. The default lets a thousand pages resume from a
    /// MiB each after a network cut; see [Fair shares](#fair-shares). Past it: `RATE_LIMITED`.
    replay_burst: u64 = 1024 * MIB, size::<u64>(least(1, "one byte")), Now;
    /// Bytes that are replayed to one session a second. Past it: `RATE_LIMITED`.
    replay_rate_per_session: u64 = 8 * MIB, size::<u64>(least(1, "one byte")), Now;
    /// Bytes that are replayed to one session at once. Past it: `RATE_LIMITED`.
    replay_burst_per_session: u64 = 64 * MIB, size::<u64>(least(1, "one byte")), Now;
    /// Requests to end sessions that one app sends a second. Past it: 429 `RATE_LIMITED`.
    disconnect_rate: u64 = 20, count::<u64>(1), Now;
    /// Requests to end sessions that one app sends at once. Past it: 429 `RATE_LIMITED`.
    disconnect_burst: u64 = 200, count::<u64>(1), Now;
    /// WebSocket frames that one connection sends a second. Past it: `RATE_LIMITED`, closed.
    frame_rate: u64 = 1_000, count::<u64>(1), Now;
    /// WebSocket frames that one connection sends at once. The default lets a page whose gadgets share a connection subscribe
    /// anew to everything. Past it: `RATE_LIMITED`, closed.
    frame_burst: u64 = 20_000, count::<u64>(1), Now;
    /// Bytes that one connection sends a second. Past it: `RATE_LIMITED`, closed.
    byte_rate: u64 = 16 * MIB, size::<u64>(least(1, "one byte")), Now;
    /// Bytes that one connection sends at once. At least `288KiB`. Past it: `RATE_LIMITED`, closed.
    byte_burst: u64 = 64 * MIB, size::<u64>(least(2 * limits::MAX_FRAME, "two messages")), Now;
    /// Origins of the pages that may use the relay: `forge`, `tunnel`, origins such as `https://*.example.com`, or `*`. See
    /// [Origins](#origins). Others get 403 `ORIGIN_REFUSED`.
    allowed_origins: AllowedOrigins = AllowedOrigins::default(), own::<AllowedOrigins>(), Now;
    /// Most memory for everything that grows with the clients. Past it the relay sheds; see [Sizing](#sizing). At least
    /// `64MiB`. Past it: 503 `OVERLOADED`, `SLOW_CONSUMER`.
    memory_bytes: usize = 1024 * MIB as usize,
        size::<usize>(least(64 * MIB as usize, "the relay gets along with")), Now;
    /// Longest time that a session may have no subscription and send no request. `1s` to 24 hours (`1440m`). Past it:
    /// `IDLE_TIMEOUT`, closed.
    idle_timeout: Duration = Duration::from_secs(10 * 60), Time(SECOND, 24 * 60 * MINUTE), Now;
    /// Longest time for the head of an HTTP request, and for a connection without any. `100ms` to `1m`. Past it: closed.
    head_timeout: Duration = Duration::from_secs(10), Time(100, MINUTE), Now;
    /// Longest time of a connection between two HTTP requests. Longer than [load balancers](#by-a-proxy) keep theirs: 60 s in
    /// most of them, 120 s in Caddy. `100ms` to 1 hour (`60m`). Past it: closed.
    keep_alive: Duration = Duration::from_secs(130), Time(100, 60 * MINUTE), Now;
    /// Most bytes of the head of an HTTP request, its first line included. `8KiB` to `64KiB`: the HTTP library takes no
    /// smaller buffer, and a head does not count among the memory. Past it: 431, closed.
    head_bytes: usize = 16 * KIB as usize, Size::<usize>::within(8 * KIB as usize, 64 * KIB as usize), Now;
    /// Longest time for the body of an HTTP request. `100ms` to `1m`. Past it: 408 `MALFORMED_REQUEST`.
    body_timeout: Duration = Duration::from_secs(20), Time(100, MINUTE), Now;
    /// Longest time in which a client may read nothing of an HTTP response or a stream that waits for it. Over the whole time
    /// it has to read 1 KiB a second besides. `100ms` to `1m`. Past it: closed.
    write_timeout: Duration = Duration::from_secs(20), Time(100, MINUTE), Now;
    /// Address of the listener for operators, with metrics and health, such as `127.0.0.1:7441`, or `off`.
    admin_listen: Option<SocketAddr> = None, Address, Restart;
    /// Allows an address for operators that other machines can reach.
    admin_public: bool = false, Flag, Restart;
    /// Longest time over which the clients leave when the relay ends. `0s` ends all at once; at most `10m`.
    drain_window: Duration = Duration::from_secs(10), Time(0, 10 * MINUTE), Restart;
    /// Longest time that the end of the relay takes. The clients that are left are then cut off. At least `drain_window`, at
    /// most `15m`.
    drain_deadline: Duration = Duration::from_secs(30), Time(0, 15 * MINUTE), Restart;
    /// Level of the log, or targets with levels, such as `info` or `warn,audit=info`.
    log: String = "info".to_owned(), LogFilter, Now;
    /// Format of the log: `text`, or `json` with one object per line.
    log_format: LogFormat = LogFormat::Text, Format, Restart;
}

impl Settings {
    /// Messages that one installation publishes.
    #[must_use]
    pub fn publishes(&self) -> Rate {
        Rate { per_second: self.publish_rate, burst: self.publish_burst }
    }

    /// Bytes of messages that one installation publishes.
    #[must_use]
    pub fn publish_bytes(&self) -> Rate {
        Rate {
            per_second: self.publish_byte_rate.unwrap_or(self.publish_rate.saturating_mul(16 * KIB)),
            burst: self.publish_byte_burst.unwrap_or(self.publish_burst.saturating_mul(64 * KIB)),
        }
    }

    /// Messages that one app publishes.
    #[must_use]
    pub fn app_publishes(&self) -> Rate {
        Rate {
            per_second: self.publish_rate_per_app.unwrap_or(self.publish_rate.saturating_mul(10)),
            burst: self.publish_burst_per_app.unwrap_or(self.publish_burst.saturating_mul(10)),
        }
    }

    /// Bytes that are replayed to one installation.
    #[must_use]
    pub fn replays(&self) -> Rate {
        Rate { per_second: self.replay_rate, burst: self.replay_burst }
    }

    /// Bytes that are replayed to one session.
    #[must_use]
    pub fn session_replays(&self) -> Rate {
        Rate { per_second: self.replay_rate_per_session, burst: self.replay_burst_per_session }
    }

    /// Requests of one app to end sessions.
    #[must_use]
    pub fn disconnects(&self) -> Rate {
        Rate { per_second: self.disconnect_rate, burst: self.disconnect_burst }
    }

    /// WebSocket frames of one connection.
    #[must_use]
    pub fn frames(&self) -> Rate {
        Rate { per_second: self.frame_rate, burst: self.frame_burst }
    }

    /// Bytes of one connection.
    #[must_use]
    pub fn bytes(&self) -> Rate {
        Rate { per_second: self.byte_rate, burst: self.byte_burst }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_that_are_not_given_follow_from_the_messages_of_an_installation() {
        let mut settings = Settings { publish_rate: 10, publish_burst: 100, ..Default::default() };
        assert_eq!(settings.publish_bytes(), Rate { per_second: 160 << 10, burst: 6400 << 10 });
        assert_eq!(settings.app_publishes(), Rate { per_second: 100, burst: 1000 });
        settings.publish_byte_burst = Some(7);
        settings.publish_rate_per_app = Some(8);
        assert_eq!(settings.publish_bytes(), Rate { per_second: 160 << 10, burst: 7 });
        assert_eq!(settings.app_publishes(), Rate { per_second: 8, burst: 1000 });
        // The longest batch always fits.
        let least = Settings { publish_rate: 1, publish_burst: 100, ..Default::default() };
        assert!(least.publish_bytes().burst >= limits::MAX_BODY as u64);
    }
}
