//! The apps that the configuration names, with their signing keys.

use super::error::{ConfigError, ConfigOrigin};
use sealwire_protocol::{
    limits,
    tokens::{Keyring, SigningKey},
};
use std::path::Path;
use zeroize::Zeroizing;

/// The apps that were read so far, from the file and the environment.
#[derive(Default)]
pub(super) struct Apps {
    ids: Vec<String>,
    keyring: Keyring,
}

impl Apps {
    /// Adds an app with its keys. Each key comes with its position in the configuration.
    pub(super) fn add(
        &mut self,
        id: &str,
        origin: ConfigOrigin,
        keys: Vec<(Zeroizing<String>, ConfigOrigin)>,
    ) -> Result<(), ConfigError> {
        if !(1..=limits::MAX_APP).contains(&id.len()) {
            let problem = format!("an app's id must have 1 to {} bytes", limits::MAX_APP);
            return Err(ConfigError { origin, problem });
        }
        if self.ids.iter().any(|known| known == id) {
            let problem = format!(
                "the app '{id}' is configured twice; list all its keys in one place, under signing_keys"
            );
            return Err(ConfigError { origin, problem });
        }
        if keys.is_empty() {
            let problem = format!(
                "the app '{id}' has no signing key; add signing_keys = [\"<kid>.<secret>\"] with a key from \
                 'sealwire-relay init'"
            );
            return Err(ConfigError { origin, problem });
        }
        for (text, origin) in keys {
            SigningKey::parse(&text)
                .and_then(|key| self.keyring.insert(id, key))
                .map_err(|error| ConfigError { origin, problem: error.to_string() })?;
        }
        self.ids.push(id.to_owned());
        Ok(())
    }

    pub(super) fn into_keyring(self, file: Option<&Path>) -> Result<Keyring, ConfigError> {
        if self.ids.is_empty() {
            let origin = match file {
                Some(path) => ConfigOrigin::File(path.into(), String::new()),
                None => ConfigOrigin::Configuration,
            };
            let problem = "no app is configured; run 'sealwire-relay init --app <id>' to write a configuration with one";
            return Err(ConfigError { origin, problem: problem.to_owned() });
        }
        Ok(self.keyring)
    }
}
