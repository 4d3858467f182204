//! What can be asked of the relay on the command line.

mod check_config;
mod healthcheck;
mod init;
mod logging;
mod run;

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
    /// Address and port to listen on; port 0 takes any.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// A proxy in front ends TLS: allows to listen on every address, and X-Forwarded-For is believed.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    proxy_terminates_tls: Option<String>,
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
    /// Most WebSocket connections.
    #[arg(long, value_name = "NUMBER")]
    max_connections: Option<String>,
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
            .with(Setting::ProxyTerminatesTls, self.proxy_terminates_tls.clone())
            .with(Setting::ReplayWindow, self.replay_window.clone())
            .with(Setting::ReplayBytes, self.replay_bytes.clone())
            .with(Setting::QueueBytes, self.queue_bytes.clone())
            .with(Setting::Heartbeat, self.heartbeat.clone())
            .with(Setting::HelloTimeout, self.hello_timeout.clone())
            .with(Setting::MaxConnections, self.max_connections.clone())
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
