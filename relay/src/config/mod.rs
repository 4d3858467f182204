//! The relay's configuration, from a TOML file, the environment and flags. Variables override the file, and flags override
//! both. Unknown names are errors, and every error states its position and how to correct it.

mod apps;
mod broker;
mod effective;
mod environment;
mod error;
mod file;
mod overrides;
mod proxy_risks;
mod risks;
mod service_links;
mod template;
#[cfg(test)]
mod tests;
mod transport;

pub use error::{ConfigError, ConfigOrigin};
pub use overrides::Overrides;
pub use risks::Risk;
pub use template::{NewApp, template};

use crate::{
    settings::{Settings, duration_text, key},
    tls::Tls,
};
use sealwire_protocol::tokens::Keyring;
use std::path::{Path, PathBuf};

/// The complete configuration of a relay.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The value of every setting.
    pub settings: Settings,
    /// The certificate and the key that `tls_certificate` and `tls_key` name.
    pub tls: Option<Tls>,
    /// The signing keys of all apps.
    pub keyring: Keyring,
    /// The files that keys were read from, whose file modes are checked.
    pub secret_files: Vec<PathBuf>,
}

impl Config {
    /// Reads `file` if one is given, then the variables that start with `SEALWIRE_RELAY_`, then the flags.
    ///
    /// # Errors
    /// [`ConfigError`].
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
                .read(&mut config.settings, text)
                .map_err(|problem| ConfigError { origin: ConfigOrigin::Flag(setting.flag()), problem })?;
        }
        config.keyring = apps.into_keyring(file)?;
        config.check()?;
        Ok(config)
    }

    /// Reads `text` as the configuration file at `path`.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn from_text(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let (mut config, mut apps) = (Self::default(), apps::Apps::default());
        file::read_text(path, text, &mut config, &mut apps)?;
        config.keyring = apps.into_keyring(Some(path))?;
        config.check()?;
        Ok(config)
    }

    /// Checks the settings that depend on each other.
    fn check(&mut self) -> Result<(), ConfigError> {
        self.check_transport()?;
        self.check_broker()?;
        if let Some(address) = self.settings.admin_listen
            && !address.ip().is_loopback()
            && !self.settings.admin_public
        {
            let problem = format!(
                "{address} can be reached from other machines, which could then read the metrics; listen on 127.0.0.1, or \
                 set admin_public = true if only your own machines reach that network"
            );
            return Err(ConfigError { origin: ConfigOrigin::Setting(key!(admin_listen)), problem });
        }
        if self.settings.drain_deadline < self.settings.drain_window {
            let [deadline, window] =
                [self.settings.drain_deadline, self.settings.drain_window].map(duration_text);
            let problem = format!(
                "{deadline} is shorter than drain_window ({window}), over which the clients are disconnected; raise it"
            );
            return Err(ConfigError { origin: ConfigOrigin::Setting(key!(drain_deadline)), problem });
        }
        Ok(())
    }
}
