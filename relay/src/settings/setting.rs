//! The operations on a setting, independent of the type of its value.

use super::{
    kinds::BOOLEAN,
    quote::quotable,
    reload_effect::ReloadEffect,
    table::{ROWS, Setting, Settings},
};
use serde_json::Value;

impl Setting {
    /// All settings, in the order of the documentation.
    pub const ALL: &[Self] = ROWS;

    /// The setting with this key.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|setting| setting.key == key)
    }

    /// The key in the file.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        self.key
    }

    /// The name of the environment variable after `SEALWIRE_RELAY_`.
    #[must_use]
    pub fn variable(&self) -> String {
        self.key.to_ascii_uppercase()
    }

    /// The name of the flag, with its dashes.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("--{}", self.key.replace('_', "-"))
    }

    /// The placeholder for the value in the help of the flag, such as `DURATION`.
    #[must_use]
    pub const fn value_name(&self) -> &'static str {
        self.value_name
    }

    /// True if the value is a boolean.
    #[must_use]
    pub fn is_boolean(&self) -> bool {
        self.value_name == BOOLEAN
    }

    /// The documentation, in Markdown on one line.
    #[must_use]
    pub fn help(&self) -> String {
        self.help.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
    }

    /// The first sentence of the documentation, without Markdown and without its full stop.
    #[must_use]
    pub fn summary(&self) -> String {
        let help = self.help().replace('`', "");
        let end = help.find(". ").map_or(help.len(), |end| end + 1);
        help[..end].trim_end_matches('.').to_owned()
    }

    /// True if a reload changes the value in a running relay.
    #[must_use]
    pub fn reloads(&self) -> bool {
        self.reload != ReloadEffect::Restart
    }

    /// True if the value is a path. A relative path in the configuration file starts at the file's directory.
    pub(crate) fn is_path(&self) -> bool {
        self.is_path
    }

    /// True if the value is a list. The configuration file may then have a TOML array.
    pub(crate) fn is_list(&self) -> bool {
        self.is_list
    }

    /// Reads a value into the settings.
    ///
    /// # Errors
    /// A text that says what is wrong with the value and how to write it. A text long enough to be a secret is not quoted.
    pub(crate) fn read(&self, settings: &mut Settings, text: &str) -> Result<(), String> {
        (self.read)(settings, text).map_err(|problem| problem.replace(text, &quotable(text)))
    }

    /// The value in force, as TOML.
    #[must_use]
    pub fn value(&self, settings: &Settings) -> String {
        match (self.write)(settings) {
            Value::String(text) => toml::Value::String(text).to_string(),
            value => value.to_string(),
        }
    }

    /// True if the setting has different values in `a` and `b`.
    pub(crate) fn differs(&self, a: &Settings, b: &Settings) -> bool {
        (self.write)(a) != (self.write)(b)
    }

    /// Copies the value into the settings of a running relay. Returns false if the value takes effect only after a restart.
    pub(crate) fn reload(&self, from: &Settings, to: &mut Settings) -> bool {
        let takes_effect = match self.reload {
            ReloadEffect::Now => true,
            ReloadEffect::Restart => false,
            ReloadEffect::SameTls => from.tls_certificate.is_some() == to.tls_certificate.is_some(),
        };
        if takes_effect {
            (self.copy)(from, to);
        }
        takes_effect
    }
}

impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Setting {}

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.key)
    }
}

/// Expands to the key of a setting, which the compiler checks: `key!(heartbeat)`.
macro_rules! key {
    ($setting:ident) => {{
        let _ = |settings: &$crate::settings::Settings| {
            let _ = &settings.$setting;
        };
        stringify!($setting)
    }};
}
pub(crate) use key;
