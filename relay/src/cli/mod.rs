//! What can be asked of the relay on the command line.

mod check_config;
mod healthcheck;
mod init;
mod logging;
mod print;
mod run;

pub(crate) use print::warn;

use clap::{Args, Parser, Subcommand};
use sealwire_relay::{Config, ConfigError, Overrides, Setting};
use std::{env, error::Error, path::PathBuf, process::ExitCode};

/// Where the configuration is looked for when nobody says.
const DEFAULT_PATH: &str = "sealwire-relay.toml";

/// The Sealwire relay: end-to-end encrypted realtime for Atlassian Forge apps.
#[derive(Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: ConfigArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Run the relay (the default).
    Run(ConfigArgs),
    /// Write a configuration with a fresh app, and print what its Forge app needs.
    Init(init::Init),
    /// Print the settings in force; say what is wrong with them (status 1) or risky.
    CheckConfig(check_config::CheckConfig),
    /// Ask the relay that runs with this configuration whether it is well (status 0).
    Healthcheck(healthcheck::Healthcheck),
}

/// Where the configuration comes from. Flags win over SEALWIRE_RELAY_… variables, and these over the file.
#[derive(Args)]
pub(crate) struct ConfigArgs {
    /// Configuration file [default: sealwire-relay.toml, where there is one].
    #[arg(long, env = "SEALWIRE_RELAY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port (port 0 takes any), unix:/path of a socket, or systemd.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Mode of a Unix domain socket: who may connect.
    #[arg(long, value_name = "OCTAL")]
    socket_mode: Option<String>,
    /// File of the certificate and its chain, in PEM.
    #[arg(long, value_name = "FILE")]
    tls_certificate: Option<String>,
    /// File of the certificate's private key, in PEM.
    #[arg(long, value_name = "FILE")]
    tls_key: Option<String>,
    /// A proxy in front ends TLS: allows to listen on every address, and X-Forwarded-For is believed.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    proxy_terminates_tls: Option<String>,
    /// Addresses and networks of the proxies in front, with commas between them.
    #[arg(long, value_name = "ADDRESSES")]
    trusted_proxies: Option<String>,
    /// Connections from the trusted proxies begin with a header of the PROXY protocol.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    proxy_protocol: Option<String>,
    /// How far back a client can resume, at most 2m.
    #[arg(long, value_name = "DURATION")]
    replay_window: Option<String>,
    /// Most bytes kept for replay, over all channels.
    #[arg(long, value_name = "SIZE")]
    replay_bytes: Option<String>,
    /// Most bytes that wait for one client.
    #[arg(long, value_name = "SIZE")]
    queue_bytes: Option<String>,
    /// How often clients are pinged.
    #[arg(long, value_name = "DURATION")]
    heartbeat: Option<String>,
    /// How long a client may take for its first message.
    #[arg(long, value_name = "DURATION")]
    hello_timeout: Option<String>,
    /// Most connections of any kind.
    #[arg(long, value_name = "NUMBER")]
    max_connections: Option<String>,
    /// Most connections of one client address (of IPv6, of one /64).
    #[arg(long, value_name = "NUMBER")]
    max_connections_per_address: Option<String>,
    /// Most sessions of one app.
    #[arg(long, value_name = "NUMBER")]
    max_sessions_per_app: Option<String>,
    /// Most sessions of one installation.
    #[arg(long, value_name = "NUMBER")]
    max_sessions_per_installation: Option<String>,
    /// Most sessions of one account in one installation.
    #[arg(long, value_name = "NUMBER")]
    max_sessions_per_account: Option<String>,
    /// Most subscriptions of one session.
    #[arg(long, value_name = "NUMBER")]
    max_subscriptions: Option<String>,
    /// Most subscriptions of one app.
    #[arg(long, value_name = "NUMBER")]
    max_subscriptions_per_app: Option<String>,
    /// Messages that one installation publishes a second.
    #[arg(long, value_name = "NUMBER")]
    publish_rate: Option<String>,
    /// Messages that one installation publishes at once.
    #[arg(long, value_name = "NUMBER")]
    publish_burst: Option<String>,
    /// Bytes of messages that one installation publishes a second.
    #[arg(long, value_name = "SIZE")]
    publish_byte_rate: Option<String>,
    /// Bytes of messages that one installation publishes at once.
    #[arg(long, value_name = "SIZE")]
    publish_byte_burst: Option<String>,
    /// Messages that one app publishes a second.
    #[arg(long, value_name = "NUMBER")]
    publish_rate_per_app: Option<String>,
    /// Messages that one app publishes at once.
    #[arg(long, value_name = "NUMBER")]
    publish_burst_per_app: Option<String>,
    /// Bytes that are replayed to one installation a second.
    #[arg(long, value_name = "SIZE")]
    replay_rate: Option<String>,
    /// Bytes that are replayed to one installation at once.
    #[arg(long, value_name = "SIZE")]
    replay_burst: Option<String>,
    /// Bytes that are replayed to one session a second.
    #[arg(long, value_name = "SIZE")]
    replay_rate_per_session: Option<String>,
    /// Bytes that are replayed to one session at once.
    #[arg(long, value_name = "SIZE")]
    replay_burst_per_session: Option<String>,
    /// Requests to end sessions that one app sends a second.
    #[arg(long, value_name = "NUMBER")]
    disconnect_rate: Option<String>,
    /// Requests to end sessions that one app sends at once.
    #[arg(long, value_name = "NUMBER")]
    disconnect_burst: Option<String>,
    /// Frames that one connection sends a second.
    #[arg(long, value_name = "NUMBER")]
    frame_rate: Option<String>,
    /// Frames that one connection sends at once.
    #[arg(long, value_name = "NUMBER")]
    frame_burst: Option<String>,
    /// Bytes that one connection sends a second.
    #[arg(long, value_name = "SIZE")]
    byte_rate: Option<String>,
    /// Bytes that one connection sends at once.
    #[arg(long, value_name = "SIZE")]
    byte_burst: Option<String>,
    /// Whose pages may use the relay: forge, tunnel, origins such as https://*.example.com, or *.
    #[arg(long, value_name = "ORIGINS")]
    allowed_origins: Option<String>,
    /// Most memory for queues, replay and what is not whole yet; past it the relay sheds.
    #[arg(long, value_name = "SIZE")]
    memory_bytes: Option<String>,
    /// How long a session may go on without a subscription and a request.
    #[arg(long, value_name = "DURATION")]
    idle_timeout: Option<String>,
    /// How long the head of an HTTP request may take.
    #[arg(long, value_name = "DURATION")]
    head_timeout: Option<String>,
    /// How long a connection may stay open between two HTTP requests.
    #[arg(long, value_name = "DURATION")]
    keep_alive: Option<String>,
    /// Most bytes of the head of an HTTP request.
    #[arg(long, value_name = "SIZE")]
    head_bytes: Option<String>,
    /// How long the body of an HTTP request may take.
    #[arg(long, value_name = "DURATION")]
    body_timeout: Option<String>,
    /// Longest time in which a client may read nothing of an answer over HTTP.
    #[arg(long, value_name = "DURATION")]
    write_timeout: Option<String>,
    /// Where operators get metrics, such as 127.0.0.1:7441, or off.
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<String>,
    /// Allows an address for operators that other machines can reach.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    admin_public: Option<String>,
    /// Over how long the clients leave when the relay ends, at most.
    #[arg(long, value_name = "DURATION")]
    drain_window: Option<String>,
    /// How long the relay may take to end.
    #[arg(long, value_name = "DURATION")]
    drain_deadline: Option<String>,
    /// What is logged, such as info or warn,audit=info.
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// text or json.
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl Cli {
    pub(crate) fn execute(self) -> Result<ExitCode, Box<dyn Error>> {
        match self.command {
            None => run::run(self.run)?,
            Some(Command::Run(args)) => run::run(args)?,
            Some(Command::CheckConfig(check)) => return check.execute(),
            Some(Command::Healthcheck(check)) => return check.execute(),
            Some(Command::Init(init)) => init.execute()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl ConfigArgs {
    fn load(&self) -> Result<Config, ConfigError> {
        let default = PathBuf::from(DEFAULT_PATH);
        let file = self.config.clone().or_else(|| default.exists().then_some(default));
        let flags = Overrides::default()
            .with(Setting::Listen, self.listen.clone())
            .with(Setting::SocketMode, self.socket_mode.clone())
            .with(Setting::TlsCertificate, self.tls_certificate.clone())
            .with(Setting::TlsKey, self.tls_key.clone())
            .with(Setting::ProxyTerminatesTls, self.proxy_terminates_tls.clone())
            .with(Setting::TrustedProxies, self.trusted_proxies.clone())
            .with(Setting::ProxyProtocol, self.proxy_protocol.clone())
            .with(Setting::ReplayWindow, self.replay_window.clone())
            .with(Setting::ReplayBytes, self.replay_bytes.clone())
            .with(Setting::QueueBytes, self.queue_bytes.clone())
            .with(Setting::Heartbeat, self.heartbeat.clone())
            .with(Setting::HelloTimeout, self.hello_timeout.clone())
            .with(Setting::MaxConnections, self.max_connections.clone())
            .with(Setting::MaxConnectionsPerAddress, self.max_connections_per_address.clone())
            .with(Setting::MaxSessionsPerApp, self.max_sessions_per_app.clone())
            .with(Setting::MaxSessionsPerInstallation, self.max_sessions_per_installation.clone())
            .with(Setting::MaxSessionsPerAccount, self.max_sessions_per_account.clone())
            .with(Setting::MaxSubscriptions, self.max_subscriptions.clone())
            .with(Setting::MaxSubscriptionsPerApp, self.max_subscriptions_per_app.clone())
            .with(Setting::PublishRate, self.publish_rate.clone())
            .with(Setting::PublishBurst, self.publish_burst.clone())
            .with(Setting::PublishByteRate, self.publish_byte_rate.clone())
            .with(Setting::PublishByteBurst, self.publish_byte_burst.clone())
            .with(Setting::PublishRatePerApp, self.publish_rate_per_app.clone())
            .with(Setting::PublishBurstPerApp, self.publish_burst_per_app.clone())
            .with(Setting::ReplayRate, self.replay_rate.clone())
            .with(Setting::ReplayBurst, self.replay_burst.clone())
            .with(Setting::ReplayRatePerSession, self.replay_rate_per_session.clone())
            .with(Setting::ReplayBurstPerSession, self.replay_burst_per_session.clone())
            .with(Setting::DisconnectRate, self.disconnect_rate.clone())
            .with(Setting::DisconnectBurst, self.disconnect_burst.clone())
            .with(Setting::FrameRate, self.frame_rate.clone())
            .with(Setting::FrameBurst, self.frame_burst.clone())
            .with(Setting::ByteRate, self.byte_rate.clone())
            .with(Setting::ByteBurst, self.byte_burst.clone())
            .with(Setting::AllowedOrigins, self.allowed_origins.clone())
            .with(Setting::MemoryBytes, self.memory_bytes.clone())
            .with(Setting::IdleTimeout, self.idle_timeout.clone())
            .with(Setting::HeadTimeout, self.head_timeout.clone())
            .with(Setting::KeepAlive, self.keep_alive.clone())
            .with(Setting::HeadBytes, self.head_bytes.clone())
            .with(Setting::BodyTimeout, self.body_timeout.clone())
            .with(Setting::WriteTimeout, self.write_timeout.clone())
            .with(Setting::AdminListen, self.admin_listen.clone())
            .with(Setting::AdminPublic, self.admin_public.clone())
            .with(Setting::DrainWindow, self.drain_window.clone())
            .with(Setting::DrainDeadline, self.drain_deadline.clone())
            .with(Setting::Log, self.log.clone())
            .with(Setting::LogFormat, self.log_format.clone());
        // Variables that are no Unicode cannot be ours.
        let environment = env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Config::load(file.as_deref(), environment, &flags)
    }
}
