//! What is wrong with a configuration, and where.

use std::{fmt, path::PathBuf};

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A place in the file, such as `app[1].id`; empty for the file as a whole.
    File(PathBuf, String),
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(String),
    /// A setting, wherever its value came from.
    Setting(&'static str),
    /// Everything together.
    Configuration,
}

/// A configuration that the relay does not run with. Never quotes a signing key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {problem}")]
pub struct ConfigError {
    /// Where.
    pub origin: Origin,
    /// What, and what to do about it.
    pub problem: String,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, place) if place.is_empty() => write!(f, "{}", path.display()),
            Self::File(path, place) => write!(f, "{}: {place}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "{name}"),
            Self::Setting(name) => write!(f, "setting {name}"),
            Self::Configuration => write!(f, "configuration"),
        }
    }
}
