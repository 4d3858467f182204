//! The relay's configuration: a TOML file, then the environment, then flags; the later one wins. Nothing unknown is
//! passed over, and every refusal says where it stands and what to do.

mod apps;
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

pub use error::{ConfigError, Origin};
pub use overrides::Overrides;
pub use risks::Risk;
pub use template::{NewApp, template};

use crate::{
    settings::{Settings, key},
    tls::Tls,
};
use sealwire_protocol::tokens::Keyring;
use std::path::{Path, PathBuf};

/// What a relay runs with.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The value of every setting.
    pub settings: Settings,
    /// The certificate and the key that `tls_certificate` and `tls_key` name.
    pub tls: Option<Tls>,
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
                .read(&mut config.settings, text)
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
        if let Some(address) = self.settings.admin_listen
            && !address.ip().is_loopback()
            && !self.settings.admin_public
        {
            let problem = format!(
                "{address} can be reached from other machines, and whoever reaches it sees the metrics; listen on \
                 127.0.0.1, or set admin_public = true where only your own machines reach that network"
            );
            return Err(ConfigError { origin: Origin::Setting(key!(admin_listen)), problem });
        }
        if self.settings.drain_deadline < self.settings.drain_window {
            let problem = format!(
                "{:?} is less than the drain_window of {:?}, in which the clients are told",
                self.settings.drain_deadline, self.settings.drain_window
            );
            return Err(ConfigError { origin: Origin::Setting(key!(drain_deadline)), problem });
        }
        Ok(())
    }
}
