//! The table of settings. A new setting is one row here, its use, and its test.
//!
//! A row consists of the documentation, the key with its type and default, the kind of value with its range, and the effect
//! of a reload. The first sentence of the documentation is the help text of the flag.

use super::{
    AllowedOrigins, BrokerAddress, BrokerPrefix, Listen, LogFormat, OtlpEndpoint, TraceRatio,
    kinds::{
        Address, Directory, File, Flag, LogFilter, LogFormatName, Mode, Name, Size, Time, ValueKind,
        any_size, integer, minimum, minimum_for, or_auto, or_off, parsed, size,
    },
    reload_effect::ReloadEffect,
    trace_ratio::Ratio,
};
use crate::proxies::TrustedProxies;
use sealwire_protocol::limits;
use serde_json::Value;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// A setting with one value. Apps and their keys are configured separately.
pub struct Setting {
    pub(super) key: &'static str,
    /// The lines of the documentation, each with a leading space.
    pub(super) help: &'static [&'static str],
    pub(super) value_name: &'static str,
    pub(super) reload: ReloadEffect,
    pub(super) is_path: bool,
    pub(super) is_list: bool,
    pub(super) read: fn(&mut Settings, &str) -> Result<(), String>,
    pub(super) write: fn(&Settings) -> Value,
    pub(super) copy: fn(&Settings, &mut Settings),
    pub(super) schema: fn() -> Value,
}

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
            reload: ReloadEffect::$reload,
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

const fn name_of<K: ValueKind>(_: &K) -> &'static str {
    K::NAME
}

const fn is_path<K: ValueKind>(_: &K) -> bool {
    K::IS_PATH
}

const fn is_list<K: ValueKind>(_: &K) -> bool {
    K::IS_LIST
}

settings! {
    /// Address and port to listen on (port 0 lets the system choose one), `unix:` and the path of a socket, or `systemd`.
    listen: Listen = Listen::Tcp(SocketAddr::from(([127, 0, 0, 1], 7440))), parsed::<Listen>(), Restart;
    /// File mode of a Unix domain socket, as text. It decides which users of the machine may connect. A socket from systemd
    /// has the `SocketMode=` of its unit.
    socket_mode: u32 = 0o660, Mode, Restart;
    /// File with the certificate and its chain, in PEM. A relative path starts at the configuration file.
    tls_certificate: Option<PathBuf> = None, File, SameTls;
    /// File with the certificate's private key, in PEM. A relative path starts at the configuration file.
    tls_key: Option<PathBuf> = None, File, SameTls;
    /// A proxy in front of the relay terminates TLS. The relay may then send plain text to other machines; see
    /// [By a proxy](#by-a-proxy).
    proxy_terminates_tls: bool = false, Flag, Restart;
    /// Addresses and networks of the proxies in front, separated by commas. The relay trusts them to state the client's
    /// address. The configuration file also accepts a list.
    trusted_proxies: TrustedProxies = TrustedProxies::default(), parsed::<TrustedProxies>(), Restart;
    /// Connections from the trusted proxies begin with a header of the PROXY protocol.
    proxy_protocol: bool = false, Flag, Restart;
    /// Directory with further apps, in one TOML file each, that the relay watches; see
    /// [Apps in a directory](#apps-in-a-directory). A relative path starts at the configuration file.
    apps_dir: Option<PathBuf> = None, Directory, Now;
    /// Time for which publications are kept for clients that resume. At most `2m`.
    replay_window: Duration = Duration::from_secs(120),
        Time(0, limits::MAX_REPLAY_SECONDS as u64 * SECOND), Restart;
    /// Maximum memory for replay, over all channels. The installation that holds the most loses its oldest publications
    /// first; see [Fair shares](#fair-shares).
    replay_bytes: usize = 256 * MIB as usize, any_size::<usize>(), Restart;
    /// Maximum number of bytes that wait for one client. A client that exceeds it is disconnected and resumes. At least
    /// `144KiB`.
    queue_bytes: usize = MIB as usize, size::<usize>(minimum_for(limits::MAX_FRAME, "one message")), Restart;
    /// Interval between pings to a client. A client that stays silent for two intervals is disconnected. A member of a presence
    /// is pinged twice as often, and is disconnected after one interval. `10ms` to `5m`.
    heartbeat: Duration = Duration::from_secs(25), Time(10, 300 * SECOND), Now;
    /// Maximum time until a client's first message. `10ms` to `1m`.
    hello_timeout: Duration = Duration::from_secs(10), Time(10, MINUTE), Now;
    /// Maximum number of connections of any kind. Beyond it: 503 `OVERLOADED`.
    max_connections: usize = 100_000, integer::<usize>(0), Now;
    /// Maximum number of connections per client address; for IPv6, per /64 network. All users of a company often share one
    /// address. Beyond it: 429 `TOO_MANY_CONNECTIONS`.
    max_connections_per_address: usize = 5_000, integer::<usize>(0), Now;
    /// Maximum number of sessions per app. Several sessions may share a connection. Beyond it: `TOO_MANY_CONNECTIONS`.
    max_sessions_per_app: usize = 100_000, integer::<usize>(0), Now;
    /// Maximum number of sessions per installation of an app. Beyond it: `TOO_MANY_CONNECTIONS`.
    max_sessions_per_installation: usize = 50_000, integer::<usize>(0), Now;
    /// Maximum number of sessions per account in one installation. Beyond it: `TOO_MANY_CONNECTIONS`.
    max_sessions_per_account: usize = 500, integer::<usize>(0), Now;
    /// Maximum number of subscriptions per session. 1 to 256. Beyond it: `TOO_MANY_SUBSCRIPTIONS`.
    max_subscriptions: usize = limits::MAX_SUBSCRIPTIONS,
        integer::<usize>(1).at_most(limits::MAX_SUBSCRIPTIONS, "a limit of the protocol"), Now;
    /// Maximum number of subscriptions over all sessions of one app. Beyond it: `TOO_MANY_SUBSCRIPTIONS` with a retry time.
    max_subscriptions_per_app: usize = 1_000_000, integer::<usize>(0), Now;
    /// Messages per second that one installation may publish, over WebSocket and HTTP together. Beyond it: `RATE_LIMITED`,
    /// 429.
    publish_rate: u64 = 1_000, integer::<u64>(1), Now;
    /// Messages that one installation may publish at once. At least 100. Beyond it: `RATE_LIMITED`, 429.
    publish_burst: u64 = 2_000, integer::<u64>(1).at_least(minimum_for(limits::MAX_BATCH, "one batch")), Now;
    /// Bytes of sealed messages per second that one installation may publish. `auto` is 16 KiB per message of
    /// `publish_rate`. Beyond it: `RATE_LIMITED`, 429.
    publish_byte_rate: Option<u64> = None, or_auto(size::<u64>(minimum(1))), Now;
    /// Bytes of sealed messages that one installation may publish at once. At least `2MiB`; `auto` is 64 KiB per message of
    /// `publish_burst`. Beyond it: `RATE_LIMITED`, 429.
    publish_byte_burst: Option<u64> = None, or_auto(size::<u64>(minimum_for(limits::MAX_BODY, "one batch"))), Now;
    /// Messages per second that all installations of one app may publish together. `auto` is ten times `publish_rate`.
    /// Beyond it: `RATE_LIMITED`, 429.
    publish_rate_per_app: Option<u64> = None, or_auto(integer::<u64>(1)), Now;
    /// Messages that all installations of one app may publish at once. At least 100; `auto` is ten times `publish_burst`.
    /// Beyond it: `RATE_LIMITED`, 429.
    publish_burst_per_app: Option<u64> = None,
        or_auto(integer::<u64>(1).at_least(minimum_for(limits::MAX_BATCH, "one batch"))), Now;
    /// Bytes per second that are replayed to all sessions of one installation together. Beyond it: `RATE_LIMITED`.
    replay_rate: u64 = 64 * MIB, size::<u64>(minimum(1)), Now;
    /// Bytes that are replayed to all sessions of one installation at once. With the default, a thousand pages can resume
    /// with 1 MiB each after a network outage; see [Fair shares](#fair-shares). Beyond it: `RATE_LIMITED`.
    replay_burst: u64 = 1024 * MIB, size::<u64>(minimum(1)), Now;
    /// Bytes per second that are replayed to one session. Beyond it: `RATE_LIMITED`.
    replay_rate_per_session: u64 = 8 * MIB, size::<u64>(minimum(1)), Now;
    /// Bytes that are replayed to one session at once. Beyond it: `RATE_LIMITED`.
    replay_burst_per_session: u64 = 64 * MIB, size::<u64>(minimum(1)), Now;
    /// Requests per second with which one app may end sessions. Beyond it: 429 `RATE_LIMITED`.
    disconnect_rate: u64 = 20, integer::<u64>(1), Now;
    /// Requests with which one app may end sessions at once. Beyond it: 429 `RATE_LIMITED`.
    disconnect_burst: u64 = 200, integer::<u64>(1), Now;
    /// WebSocket frames per second that one connection may send. Beyond it: `RATE_LIMITED`, closed.
    frame_rate: u64 = 1_000, integer::<u64>(1), Now;
    /// WebSocket frames that one connection may send at once. With the default, a page whose gadgets share a connection can
    /// renew all of its subscriptions at once. Beyond it: `RATE_LIMITED`, closed.
    frame_burst: u64 = 20_000, integer::<u64>(1), Now;
    /// Bytes per second that one connection may send. Beyond it: `RATE_LIMITED`, closed.
    byte_rate: u64 = 16 * MIB, size::<u64>(minimum(1)), Now;
    /// Bytes that one connection may send at once. At least `288KiB`. Beyond it: `RATE_LIMITED`, closed.
    byte_burst: u64 = 64 * MIB, size::<u64>(minimum_for(2 * limits::MAX_FRAME, "two messages")), Now;
    /// Time for which a member of a presence stays after its connection broke. `0s` to `2m`.
    presence_grace: Duration = Duration::from_secs(15), Time(0, 2 * MINUTE), Now;
    /// Maximum number of members of one channel's presence. Beyond it: `TOO_MANY_MEMBERS` with a retry time.
    max_presence_members: usize = 1_000, integer::<usize>(1), Now;
    /// Maximum number of members of one account in one channel's presence: its open pages, and those that were closed less
    /// than `presence_grace` ago. Beyond it: `TOO_MANY_MEMBERS` with a retry time.
    max_presence_members_per_account: usize = 50, integer::<usize>(1), Now;
    /// Maximum size of the sealed entries of one channel's presence together. At most half of `queue_bytes` is used, so that
    /// a client can be sent all of them. At least `16KiB`. Beyond it: `TOO_MANY_MEMBERS` with a retry time.
    max_presence_bytes: usize = 512 * KIB as usize,
        size::<usize>(minimum_for(limits::MAX_PRESENCE_ENTRY, "one entry")), Now;
    /// Maximum size of one sealed entry of a presence. `256B` to `16KiB`. Beyond it: `MESSAGE_SIZE`.
    max_presence_entry_bytes: usize = 4 * KIB as usize,
        Size::<usize>::within(256, limits::MAX_PRESENCE_ENTRY), Now;
    /// Maximum number of channels in whose presence one session is a member or watches. Beyond it: `TOO_MANY_PRESENCES`.
    max_presence_channels: usize = 64, integer::<usize>(1), Now;
    /// Requests per second with which one session may enter or watch presences, or change its entries. Beyond it:
    /// `RATE_LIMITED`.
    presence_rate: u64 = 10, integer::<u64>(1), Now;
    /// Requests with which one session may enter or watch presences at once. With the default, a page can return to 64
    /// channels. Beyond it: `RATE_LIMITED`.
    presence_burst: u64 = 128, integer::<u64>(1), Now;
    /// Origins of the pages that may use the relay: `forge`, `tunnel`, origins such as `https://*.example.com`, or `*`. See
    /// [Origins](#origins). Other pages get 403 `ORIGIN_REFUSED`.
    allowed_origins: AllowedOrigins = AllowedOrigins::default(), parsed::<AllowedOrigins>(), Now;
    /// Memory budget for everything whose size clients control. When it runs short, the relay sheds load; see
    /// [Sizing](#sizing). At least `64MiB`. Beyond it: 503 `OVERLOADED`, `SLOW_CONSUMER`.
    memory_bytes: usize = 1024 * MIB as usize, size::<usize>(minimum(64 * MIB as usize)), Now;
    /// Maximum time that a session may have no subscription and send no request. `1s` to 24 hours (`1440m`). Beyond it:
    /// `IDLE_TIMEOUT`, closed.
    idle_timeout: Duration = Duration::from_secs(10 * 60), Time(SECOND, 24 * 60 * MINUTE), Now;
    /// Maximum time for the header of an HTTP request, and for a connection until its first request. `100ms` to `1m`. Beyond
    /// it: closed.
    header_timeout: Duration = Duration::from_secs(10), Time(100, MINUTE), Now;
    /// Maximum time that a connection may be idle between two HTTP requests. It should exceed the idle timeout of
    /// [load balancers](#by-a-proxy): 60 s in most of them, 120 s in Caddy. `100ms` to 1 hour (`60m`). Beyond it: closed.
    keep_alive_timeout: Duration = Duration::from_secs(130), Time(100, 60 * MINUTE), Now;
    /// Maximum size of the header of an HTTP request, including the request line. `8KiB` to `64KiB`: the HTTP library needs at
    /// least `8KiB`, and headers are not counted in `memory_bytes`. Beyond it: 431, closed.
    max_header_bytes: usize = 16 * KIB as usize, Size::<usize>::within(8 * KIB as usize, 64 * KIB as usize), Now;
    /// Maximum time for the body of an HTTP request. `100ms` to `1m`. Beyond it: 408 `MALFORMED_REQUEST`.
    body_timeout: Duration = Duration::from_secs(20), Time(100, MINUTE), Now;
    /// Maximum time in which a client may read nothing of a response or stream that waits for it. Over the whole wait, the
    /// client must also read at least 1 KiB per second. `100ms` to `1m`. Beyond it: closed.
    write_timeout: Duration = Duration::from_secs(20), Time(100, MINUTE), Now;
    /// Address of the listener for operators, with metrics, health and [the console](#the-console), such as `127.0.0.1:7441`, or `off`.
    admin_listen: Option<SocketAddr> = None, Address, Restart;
    /// Allows an address for operators that other machines can reach.
    admin_public: bool = false, Flag, Restart;
    /// File with the token that operators enter in [the console](#the-console) to end sessions, of 32 to 1,024 bytes. Without
    /// it, the console only shows. A relative path starts at the configuration file.
    admin_token_file: Option<PathBuf> = None, File, Now;
    /// Time over which the disconnection of clients is spread when the relay shuts down. `0s` disconnects all at once; at
    /// most `10m`.
    drain_window: Duration = Duration::from_secs(10), Time(0, 10 * MINUTE), Restart;
    /// Maximum time for the relay to shut down. Connections that are still open then are cut off. At least `drain_window`, at
    /// most `15m`.
    drain_deadline: Duration = Duration::from_secs(30), Time(0, 15 * MINUTE), Restart;
    /// The broker between relays: `embedded` for a single relay, or the servers of one NATS cluster, such as
    /// `nats://nats-1:4222,nats://nats-2:4222`. List every server; see [In a cluster](#in-a-cluster). `tls://` requires TLS.
    broker: BrokerAddress = BrokerAddress::Embedded, parsed::<BrokerAddress>(), Restart;
    /// Start of the names of streams and subjects in NATS. Relays with the same prefix form one cluster. 1 to 32 letters,
    /// digits, `-` or `_`.
    broker_prefix: BrokerPrefix = BrokerPrefix::default(), parsed::<BrokerPrefix>(), Restart;
    /// Number of JetStream streams, over which the channels are spread. 1 to 64. Every relay of a cluster must have the same.
    broker_streams: usize = 4, integer::<usize>(1).at_most(64, "each stream costs every relay two requests a second"), Restart;
    /// Number of NATS servers that hold each message. With `3`, one of them can fail. 1 to 5.
    broker_replicas: usize = 3, integer::<usize>(1).at_most(5, "a limit of JetStream"), Restart;
    /// Maximum memory for messages on each NATS server, over all streams. The oldest messages are discarded first. At least
    /// `16MiB`.
    broker_bytes: u64 = 256 * MIB, size::<u64>(minimum(16 * MIB as usize)), Restart;
    /// Maximum time in which NATS must acknowledge a publication or answer a subscription. `1s` to `30s`. Beyond it:
    /// `BROKER_UNAVAILABLE`.
    broker_timeout: Duration = Duration::from_secs(5), Time(SECOND, 30 * SECOND), Restart;
    /// File with NATS credentials (`.creds`), which is read at each connect. A relative path starts at the configuration
    /// file.
    broker_credentials: Option<PathBuf> = None, File, Restart;
    /// Name of the NATS user. The password is in `broker_password_file`.
    broker_user: String = String::new(), Name, Restart;
    /// File with the password of `broker_user`, which is read at each connect. A relative path starts at the configuration
    /// file.
    broker_password_file: Option<PathBuf> = None, File, Restart;
    /// File with a NATS token, which is read at each connect. A relative path starts at the configuration file.
    broker_token_file: Option<PathBuf> = None, File, Restart;
    /// File with the certificates of the authorities that the relay accepts for NATS, in PEM, instead of the system's. A
    /// relative path starts at the configuration file.
    broker_ca: Option<PathBuf> = None, File, Restart;
    /// File with the relay's certificate for NATS, in PEM. A relative path starts at the configuration file.
    broker_certificate: Option<PathBuf> = None, File, Restart;
    /// File with the private key of `broker_certificate`, in PEM. A relative path starts at the configuration file.
    broker_key: Option<PathBuf> = None, File, Restart;
    /// Level of the log, or targets with levels, such as `info` or `warn,audit=info`.
    log: String = "info".to_owned(), LogFilter, Now;
    /// Format of the log: `text`, or `json` with one object per line.
    log_format: LogFormat = LogFormat::Text, LogFormatName, Restart;
    /// Address of the OpenTelemetry collector that receives traces, such as `http://127.0.0.1:4318` (OTLP over HTTP), or
    /// `off`. See [Traces](#traces).
    otlp_endpoint: Option<OtlpEndpoint> = None, or_off(parsed::<OtlpEndpoint>()), Restart;
    /// Share of the publications, and of the subscriptions that resume, that begin a trace. `0` to `1`. It does not apply to
    /// requests that are part of a trace.
    trace_ratio: TraceRatio = TraceRatio::percent(1), Ratio, Now;
}
