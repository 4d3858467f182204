//! Faults of Markdown files and of pages of the site, as they are reported.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};

/// The number of faults that a report spells out.
const MAX_SHOWN: usize = 40;

/// A broken link or code sample.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The file with the fault.
    pub(crate) file: PathBuf,
    /// The line of the fault, counted from 1.
    pub(crate) line: usize,
    /// The link as written, or the kind of the sample.
    pub(crate) link: String,
    /// A sentence that says what is wrong and what to do.
    pub(crate) problem: String,
}

impl Fault {
    /// The same fault with a path relative to `folder`, if the file lies below it.
    pub(crate) fn relative_to(mut self, folder: &Path) -> Self {
        if let Ok(file) = self.file.strip_prefix(folder) {
            self.file = file.to_owned();
        }
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, link, problem } = self;
        write!(formatter, "{}:{line}: `{link}`: {problem}", file.display())
    }
}

/// Fails with the faults, if there are any.
pub(crate) fn report(faults: &[Fault]) -> Result<()> {
    let shown: Vec<_> = faults.iter().take(MAX_SHOWN).map(Fault::to_string).collect();
    let rest = faults.len() - shown.len();
    let rest = if rest > 0 { format!("\n    and {rest} more") } else { String::new() };
    ensure!(faults.is_empty(), "{} faults:\n    {}{rest}", faults.len(), shown.join("\n    "));
    Ok(())
}

/// The line of a byte offset, counted from 1.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

/// ` (did you mean …?)` with the candidate that is most like `wanted`, or nothing where none is alike.
pub(super) fn suggestion<'text>(
    wanted: &str,
    candidates: impl IntoIterator<Item = &'text String>,
    prefix: &str,
) -> String {
    let likeness = |candidate: &&String| strsim::jaro_winkler(wanted, candidate);
    candidates
        .into_iter()
        .filter(|candidate| likeness(candidate) > 0.8)
        .max_by(|one, other| likeness(one).total_cmp(&likeness(other)))
        .map(|candidate| format!(" (did you mean `{prefix}{candidate}`?)"))
        .unwrap_or_default()
}
