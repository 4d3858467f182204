//! Settings from flags.

use crate::settings::Setting;

/// The values of flags, which override all other sources.
#[derive(Clone, Debug, Default)]
pub struct Overrides(Vec<(&'static Setting, String)>);

impl Overrides {
    /// Adds the value of a flag, if it was given.
    #[must_use]
    pub fn with(mut self, setting: &'static Setting, value: Option<String>) -> Self {
        self.0.extend(value.map(|value| (setting, value)));
        self
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static Setting, &str)> {
        self.0.iter().map(|(setting, value)| (*setting, value.as_str()))
    }
}
