//! What is wrong with a configuration, and where.

use std::{borrow::Cow, fmt, path::PathBuf};

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

/// Longest text that a message repeats. A signing secret, which may have got into any place, is longer.
const MAX_QUOTED: usize = 64;

/// What a message repeats of a faulty text.
pub(super) fn quotable(text: &str) -> Cow<'_, str> {
    let length = text.chars().count();
    if length > MAX_QUOTED { format!("({length} characters)").into() } else { text.into() }
}

/// Names what is known, closest first.
pub(super) fn unknown(what: &str, given: &str, known: &[&str]) -> String {
    let closest = known.iter().min_by_key(|name| distance(given, name));
    let hint = match closest {
        Some(name) if distance(given, name) <= 3.max(name.len() / 3) => format!("did you mean '{name}'? "),
        _ => String::new(),
    };
    format!("unknown {what} '{}'; {hint}Known are: {}", quotable(given), known.join(", "))
}

/// How many letters must be added, dropped or exchanged (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let exchanged = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = exchanged.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
