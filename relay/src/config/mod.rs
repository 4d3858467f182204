//! The relay's configuration, from a TOML file, the environment and flags. Variables override the file, and flags override
//! both. Unknown names are errors, and every error states its position and how to correct it.

mod admin;
mod app_table;
mod apps;
mod apps_dir;
mod broker;
mod effective;
mod environment;
mod error;
mod file;
mod file_risks;
mod overrides;
mod proxy_risks;
mod risk;
mod risks;
mod secret_file;
mod service_links;
mod template;
#[cfg(test)]
mod tests;
mod toml_text;
mod transport;

pub(crate) use admin::AdminToken;
pub use apps::Apps;
pub use apps_dir::{AppsDir, AppsDirWatch, Look};
pub use error::{ConfigError, ConfigOrigin};
pub use overrides::Overrides;
pub use risk::Risk;
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
    /// The token in the file that `admin_token_file` names.
    pub admin_token: Option<AdminToken>,
    /// The signing keys of all apps.
    pub keyring: Keyring,
    /// The apps of the file and the environment.
    pub fixed_apps: Apps,
    /// The files that keys were read from, other than those of `apps_dir`. Their file modes are checked.
    pub secret_files: Vec<PathBuf>,
    /// The files that were read in `apps_dir`.
    pub apps_dir: AppsDir,
}

impl Config {
    /// Reads `file` if one is given, then the variables that start with `SEALWIRE_RELAY_`, then the flags, then `apps_dir`.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &Overrides,
    ) -> Result<Self, ConfigError> {
        let mut config = Self::from_sources(file, environment, flags)?;
        config.read_apps(file)?;
        config.check()?;
        Ok(config)
    }

    /// Does the same as [`Self::load`] without reading `apps_dir`, and without requiring an app. The health of a relay does
    /// not depend on a file of `apps_dir` that it has refused.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load_without_apps_dir(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &Overrides,
    ) -> Result<Self, ConfigError> {
        let mut config = Self::from_sources(file, environment, flags)?;
        config.check()?;
        Ok(config)
    }

    fn from_sources(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &Overrides,
    ) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        if let Some(path) = file {
            file::read(path, &mut config)?;
        }
        environment::read(environment, &mut config)?;
        for (setting, text) in flags.iter() {
            setting
                .read(&mut config.settings, text)
                .map_err(|problem| ConfigError { origin: ConfigOrigin::Flag(setting.flag()), problem })?;
        }
        Ok(config)
    }

    /// Returns the configuration with `apps_dir` read again, and everything else as it is.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn with_apps_dir_read_again(&self) -> Result<Self, ConfigError> {
        let mut config = self.clone();
        config.read_apps(None)?;
        Ok(config)
    }

    /// Reads the configured directory, and joins its apps with those of the other sources.
    fn read_apps(&mut self, file: Option<&Path>) -> Result<(), ConfigError> {
        let (apps, directory) = match &self.settings.apps_dir {
            Some(path) => AppsDir::read(path, &self.fixed_apps)?,
            None => (self.fixed_apps.clone(), AppsDir::default()),
        };
        let origin = match self.settings.apps_dir.as_deref().or(file) {
            Some(path) => ConfigOrigin::File(path.to_owned(), String::new()),
            None => ConfigOrigin::Configuration,
        };
        self.keyring = apps.into_keyring(origin)?;
        self.apps_dir = directory;
        Ok(())
    }

    /// Reads `text` as the configuration file at `path`, without `apps_dir`.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn from_text(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        file::read_text(path, text, &mut config)?;
        config.settings.apps_dir = None;
        config.read_apps(Some(path))?;
        config.check()?;
        Ok(config)
    }

    /// Checks the settings that depend on each other.
    fn check(&mut self) -> Result<(), ConfigError> {
        self.check_transport()?;
        self.check_broker()?;
        self.check_admin()?;
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
