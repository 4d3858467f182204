//! The relay's configuration: a TOML file, then the environment, then flags; the later one wins. Nothing unknown is
//! passed over, and every refusal says where it stands and what to do.

mod apps;
mod effective;
mod environment;
mod error;
mod file;
mod listen;
mod overrides;
mod proxy_risks;
mod risks;
mod service_links;
mod settings;
mod template;
#[cfg(test)]
mod tests;
mod transport;
mod units;
mod values;

pub use error::{ConfigError, Origin};
pub use listen::Listen;
pub use overrides::Overrides;
pub use risks::Risk;
pub use settings::{LogFormat, Setting};
pub use template::{NewApp, template};

use crate::{limits::LimitSettings, proxies::TrustedProxies, tls::Tls};
use sealwire_protocol::tokens::Keyring;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// What a relay runs with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: Listen,
    /// The mode of the Unix domain socket, where that is one: who may connect.
    pub socket_mode: u32,
    /// The file of the certificate and its chain, in PEM.
    pub tls_certificate: Option<PathBuf>,
    /// The file of the certificate's private key, in PEM.
    pub tls_key: Option<PathBuf>,
    /// What was read from these two.
    pub tls: Option<Tls>,
    /// Whether a proxy in front ends TLS; without [`Self::trusted_proxies`], every peer is taken for it.
    pub proxy_terminates_tls: bool,
    /// Whose `X-Forwarded-For` and PROXY protocol is believed.
    pub trusted_proxies: TrustedProxies,
    /// Whether connections from the trusted proxies begin with a header of the PROXY protocol.
    pub proxy_protocol: bool,
    /// How far back a subscription can resume; at most two minutes.
    pub replay_window: Duration,
    /// Most bytes of publications kept for replay, over all channels.
    pub replay_bytes: usize,
    /// Most bytes that wait to be written to one client.
    pub queue_bytes: usize,
    /// How often a client is pinged.
    pub heartbeat: Duration,
    /// How long a client may take for its first message.
    pub hello_timeout: Duration,
    /// What is allowed to whom.
    pub limits: LimitSettings,
    /// Where operators get metrics; nowhere, where there is no address.
    pub admin_listen: Option<SocketAddr>,
    /// Whether that may be an address that other machines can reach.
    pub admin_public: bool,
    /// Over how long the clients' goodbyes are spread at most when the relay ends.
    pub drain_window: Duration,
    /// How long the relay may take to end.
    pub drain_deadline: Duration,
    /// Which events are logged, in the form of `tracing-subscriber`'s `EnvFilter`.
    pub log: String,
    /// How they are written.
    pub log_format: LogFormat,
    /// The signing keys of all apps.
    pub keyring: Keyring,
    /// The files that keys were read from.
    pub secret_files: Vec<PathBuf>,
}

impl Config {
    /// Reads `file` where one is given, then the variables that start with `SEALWIRE_RELAY_`, then the flags.
    ///
    /// # Errors
    /// [`ConfigError`], with where the fault stands.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &Overrides,
    ) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        let mut apps = apps::Apps::default();
        if let Some(path) = file {
            file::read(path, &mut config, &mut apps)?;
        }
        environment::read(environment, &mut config, &mut apps)?;
        for (setting, text) in flags.iter() {
            setting
                .apply(&mut config, text)
                .map_err(|problem| ConfigError { origin: Origin::Flag(setting.flag()), problem })?;
        }
        config.keyring = apps.into_keyring(file)?;
        config.check()?;
        Ok(config)
    }

    /// What the file at `path` with this text stands for.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn from_text(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let (mut config, mut apps) = (Self::default(), apps::Apps::default());
        file::read_text(path, text, &mut config, &mut apps)?;
        config.keyring = apps.into_keyring(Some(path))?;
        config.check()?;
        Ok(config)
    }

    /// What cannot be said of one value alone.
    fn check(&mut self) -> Result<(), ConfigError> {
        self.check_transport()?;
        if let Some(address) = self.admin_listen
            && !address.ip().is_loopback()
            && !self.admin_public
        {
            let problem = format!(
                "{address} can be reached from other machines, and whoever reaches it sees the metrics; listen on \
                 127.0.0.1, or set admin_public = true where only your own machines reach that network"
            );
            return Err(ConfigError { origin: Origin::Setting("admin_listen"), problem });
        }
        if self.drain_deadline < self.drain_window {
            let problem = format!(
                "{:?} is less than the drain_window of {:?}, in which the clients are told",
                self.drain_deadline, self.drain_window
            );
            return Err(ConfigError { origin: Origin::Setting("drain_deadline"), problem });
        }
        Ok(())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: Listen::Tcp(SocketAddr::from(([127, 0, 0, 1], 7440))),
            socket_mode: 0o660,
            tls_certificate: None,
            tls_key: None,
            tls: None,
            proxy_terminates_tls: false,
            trusted_proxies: TrustedProxies::default(),
            proxy_protocol: false,
            replay_window: Duration::from_secs(120),
            replay_bytes: 256 * 1024 * 1024,
            queue_bytes: 1024 * 1024,
            heartbeat: Duration::from_secs(25),
            hello_timeout: Duration::from_secs(10),
            limits: LimitSettings::default(),
            admin_listen: None,
            admin_public: false,
            drain_window: Duration::from_secs(10),
            drain_deadline: Duration::from_secs(30),
            log: "info".to_owned(),
            log_format: LogFormat::Text,
            keyring: Keyring::default(),
            secret_files: Vec::new(),
        }
    }
}
