//! One row of the table, without the type of its value.

use super::{Settings, kinds::quotable};
use serde_json::Value;

/// The effect of a changed value on a relay that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reload {
    /// The value counts from the reload on.
    Now,
    /// The value counts after a restart.
    Restart,
    /// The value counts from the reload on, unless TLS itself is switched on or off: clients then need another address.
    SameTls,
}

/// A setting with one value. Apps and their keys are apart.
pub struct Setting {
    pub(super) key: &'static str,
    /// Paragraphs of the documentation, each with a space before it.
    pub(super) help: &'static [&'static str],
    pub(super) value_name: &'static str,
    pub(super) reload: Reload,
    pub(super) is_path: bool,
    pub(super) is_list: bool,
    pub(super) read: fn(&mut Settings, &str) -> Result<(), String>,
    pub(super) write: fn(&Settings) -> Value,
    pub(super) copy: fn(&Settings, &mut Settings),
    pub(super) schema: fn() -> Value,
}

impl Setting {
    /// All settings, in the order of the documentation.
    pub const ALL: &[Self] = super::table::ROWS;

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

    /// The variable, after `SEALWIRE_RELAY_`.
    #[must_use]
    pub fn variable(&self) -> String {
        self.key.to_ascii_uppercase()
    }

    /// The flag.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("--{}", self.key.replace('_', "-"))
    }

    /// The placeholder for the value in the help of the flag, such as `DURATION`.
    #[must_use]
    pub const fn value_name(&self) -> &'static str {
        self.value_name
    }

    /// True if the value is true or false.
    #[must_use]
    pub fn is_boolean(&self) -> bool {
        self.value_name == super::kinds::BOOLEAN
    }

    /// The documentation, in Markdown on one line.
    #[must_use]
    pub fn help(&self) -> String {
        self.help.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
    }

    /// The first sentence of the documentation, without marks.
    #[must_use]
    pub fn summary(&self) -> String {
        let help = self.help().replace('`', "");
        let end = help.find(". ").map_or(help.len(), |end| end + 1);
        help[..end].trim_end_matches('.').to_owned()
    }

    /// True if a reload changes the value in a running relay.
    #[must_use]
    pub fn reloads(&self) -> bool {
        self.reload != Reload::Restart
    }

    /// True if the value is a path, which in a file is relative to that file.
    pub(crate) fn is_path(&self) -> bool {
        self.is_path
    }

    /// True if the value is a list, which in a file can be a list of TOML.
    pub(crate) fn is_list(&self) -> bool {
        self.is_list
    }

    /// Reads a value into the settings.
    ///
    /// # Errors
    /// A text that says what is wrong with the value.
    pub(crate) fn read(&self, settings: &mut Settings, text: &str) -> Result<(), String> {
        (self.read)(settings, text).map_err(|problem| problem.replace(text, &quotable(text)))
    }

    /// The value in force, as a file has it.
    #[must_use]
    pub fn value(&self, settings: &Settings) -> String {
        match (self.write)(settings) {
            Value::String(text) => toml::Value::String(text).to_string(),
            value => value.to_string(),
        }
    }

    /// True if the two have different values.
    pub(crate) fn differs(&self, a: &Settings, b: &Settings) -> bool {
        (self.write)(a) != (self.write)(b)
    }

    /// Takes the value over into the settings of a running relay. False if only a restart changes it.
    pub(crate) fn reload(&self, from: &Settings, to: &mut Settings) -> bool {
        let takes_effect = match self.reload {
            Reload::Now => true,
            Reload::Restart => false,
            Reload::SameTls => from.tls_certificate.is_some() == to.tls_certificate.is_some(),
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

/// The key of a setting, checked by the compiler: `key!(heartbeat)`.
macro_rules! key {
    ($setting:ident) => {{
        let _ = |settings: &$crate::settings::Settings| {
            let _ = &settings.$setting;
        };
        stringify!($setting)
    }};
}
pub(crate) use key;
