//! The error of a configuration, with its position.

use std::{fmt, path::PathBuf};

/// The position of a value in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigOrigin {
    /// A position in the file, such as `app[1].id`; empty for the file as a whole.
    File(PathBuf, String),
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(String),
    /// A setting, from any source.
    Setting(&'static str),
    /// The configuration as a whole.
    Configuration,
}

/// The error of an invalid configuration. It never quotes a signing key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {problem}")]
pub struct ConfigError {
    /// The position of the error.
    pub origin: ConfigOrigin,
    /// The error, and how to correct it.
    pub problem: String,
}

impl fmt::Display for ConfigOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, position) if position.is_empty() => write!(f, "{}", path.display()),
            Self::File(path, position) => write!(f, "{}: {position}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "{name}"),
            Self::Setting(name) => write!(f, "setting {name}"),
            Self::Configuration => write!(f, "configuration"),
        }
    }
}
