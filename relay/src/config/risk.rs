//! A risk of a configuration.

use super::error::ConfigOrigin;
use std::fmt;

/// A setting that is valid and risky.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// The position of the setting.
    pub origin: ConfigOrigin,
    /// The risk, and the value to use instead.
    pub problem: String,
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.problem)
    }
}
