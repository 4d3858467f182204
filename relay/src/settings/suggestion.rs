//! Suggestions for misspelt names.

use super::quotable;

/// Says that a name is unknown, and names the known ones, the closest first.
pub(crate) fn unknown(what: &str, given: &str, known: &[&str]) -> String {
    // A text of any length can stand in the place of a name.
    let start: String = given.chars().take(64).collect();
    let distance = |name: &str| strsim::levenshtein(&start, name);
    let closest = known.iter().min_by_key(|name| distance(name));
    let hint = match closest {
        Some(name) if distance(name) <= 3.max(name.len() / 3) => format!("did you mean '{name}'? "),
        _ => String::new(),
    };
    format!("unknown {what} '{}'; {hint}Known are: {}", quotable(given), known.join(", "))
}
