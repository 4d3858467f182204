//! The apps that the configuration names, with their signing keys.

use super::error::{ConfigError, ConfigOrigin};
use sealwire_protocol::{
    limits,
    tokens::{Keyring, SigningKey},
};
use std::fmt;
use zeroize::Zeroizing;

/// The apps that were read from some sources of the configuration.
#[derive(Clone, Default)]
pub struct Apps {
    /// The id of each app, and its position in the configuration.
    ids: Vec<(String, ConfigOrigin)>,
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
        if let Some((_, first)) = self.ids.iter().find(|(known, _)| known == id) {
            let problem = format!(
                "the app '{id}' is configured twice; list all its keys in one place, under signing_keys. The other place: \
                 {first}"
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
        self.ids.push((id.to_owned(), origin));
        Ok(())
    }

    /// The number of signing keys.
    pub(super) fn keys(&self) -> usize {
        self.keyring.iter().count()
    }

    /// Returns the keys of all apps. `origin` is the position of the error if there is no app.
    pub(super) fn into_keyring(self, origin: ConfigOrigin) -> Result<Keyring, ConfigError> {
        if self.ids.is_empty() {
            let problem = "no app is configured; run 'sealwire-relay init --app <id>' to write a configuration with one, or \
                           add a file with one to apps_dir";
            return Err(ConfigError { origin, problem: problem.to_owned() });
        }
        Ok(self.keyring)
    }
}

/// Prints the ids alone.
impl fmt::Debug for Apps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.ids.iter().map(|(id, _)| id)).finish()
    }
}
