//! Suggestions for misspelt names.

use super::quote::quotable;

/// The error for an unknown name. It suggests the most similar known name, if one is close, and lists all of them.
pub(crate) fn unknown(what: &str, given: &str, known: &[&str]) -> String {
    // The distance takes quadratic time, and the given text may be of any length.
    let start: String = given.chars().take(64).collect();
    let distance = |name: &str| strsim::levenshtein(&start, name);
    let closest = known.iter().min_by_key(|name| distance(name));
    let hint = match closest {
        Some(name) if distance(name) <= 3.max(name.len() / 3) => format!("did you mean '{name}'? "),
        _ => String::new(),
    };
    format!("unknown {what} '{}'; {hint}valid names: {}", quotable(given), known.join(", "))
}
