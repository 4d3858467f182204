//! The pages of the book: every Markdown file of the repository's root, of `docs/` and of the examples, in parts. A new
//! file appears by itself, after the pages that `ORDER` names.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Result;

use crate::{
    files,
    links::{self, Markdown},
    workspace::Workspace,
};

/// The first pages of the book, in order.
const FIRST: [&str; 2] = ["README.md", "ARCHITECTURE.md"];
/// The order of the pages of `docs/`; others follow by name.
const ORDER: [&str; 15] = [
    "docs/getting-started.md",
    "docs/forge.md",
    "docs/scopes.md",
    "docs/streams.md",
    "docs/presence.md",
    "docs/regions.md",
    "docs/devtools.md",
    "docs/operating.md",
    "docs/scaling.md",
    "docs/security.md",
    "docs/protocol.md",
    "docs/performance.md",
    "docs/building.md",
    "docs/testing.md",
    "docs/agents.md",
];

/// A Markdown file and the text of its first heading.
pub(super) type Pages = BTreeMap<PathBuf, String>;

/// A part of the book.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    First,
    Using,
    Guide,
    Decisions,
    Examples,
    Project,
}

/// The parts with a heading of their own, in order.
const PARTS: [(Part, &str); 5] = [
    (Part::Using, "In an app"),
    (Part::Guide, "Guide"),
    (Part::Decisions, "Decisions"),
    (Part::Examples, "Examples"),
    (Part::Project, "Project"),
];

impl Part {
    /// The part of a file, or nothing for files that are no pages, such as results of measurements.
    fn of(file: &Path) -> Option<Self> {
        let path = file.to_str()?;
        if !path.ends_with(".md") || path.ends_with("SUMMARY.md") {
            return None;
        }
        let folder = file.parent()?.to_str()?;
        Some(match folder {
            _ if FIRST.contains(&path) => Self::First,
            "" => Self::Project,
            "pkg" => Self::Using,
            "docs/decisions" => Self::Decisions,
            _ if path == "docs/decisions.md" => Self::Decisions,
            _ if folder == "docs" || folder.starts_with("docs/") => Self::Guide,
            _ if folder.starts_with("examples") => Self::Examples,
            _ => return None,
        })
    }
}

/// The pages of the book.
pub(super) fn find(workspace: &Workspace) -> Result<Pages> {
    let mut pages = Pages::new();
    for file in links::pages(workspace).into_iter().filter(|file| Part::of(file).is_some()) {
        let text = files::read_text(&workspace.root.join(&file))?;
        let title = Markdown::read(&text).title.unwrap_or_else(|| file.display().to_string());
        pages.insert(file, title);
    }
    Ok(pages)
}

/// mdBook's table of contents.
pub(super) fn summary(pages: &Pages) -> String {
    let mut summary = "# Summary\n\n".to_owned();
    for file in FIRST.map(Path::new) {
        if let Some(title) = pages.get(file) {
            let _ = writeln!(summary, "[{title}]({})", file.display());
        }
    }
    for (part, heading) in PARTS {
        let mut files: Vec<&PathBuf> = pages.keys().filter(|file| Part::of(file) == Some(part)).collect();
        if files.is_empty() {
            continue;
        }
        files.sort_by_key(|file| rank(file));
        let _ = writeln!(summary, "\n# {heading}\n");
        // The index of the decisions is the parent of each.
        let has_index = part == Part::Decisions && files[0].ends_with("README.md");
        for (number, file) in files.iter().enumerate() {
            let indent = if has_index && number > 0 { "  " } else { "" };
            let _ = writeln!(summary, "{indent}- [{}]({})", pages[*file], file.display());
        }
    }
    summary
}

/// Named pages in their order, then an index, then others by name.
fn rank(file: &Path) -> (usize, bool, String) {
    let name = file.to_string_lossy().into_owned();
    let place = ORDER.iter().position(|page| *page == name).unwrap_or(ORDER.len());
    (place, !name.ends_with("README.md"), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_its_place_and_new_ones_follow_by_name() {
        let pages: Pages = [
            ("README.md", "Sealwire"),
            ("ARCHITECTURE.md", "Architecture"),
            ("CONTRIBUTING.md", "Contributing"),
            ("pkg/README.md", "sealwire"),
            ("docs/another.md", "Another"),
            ("docs/protocol.md", "Protocol"),
            ("docs/scopes.md", "Scopes"),
            ("docs/decisions/0001-one.md", "One core"),
            ("docs/decisions/README.md", "Decisions"),
        ]
        .map(|(file, title)| (PathBuf::from(file), title.to_owned()))
        .into();
        assert_eq!(
            summary(&pages),
            "# Summary\n\n[Sealwire](README.md)\n[Architecture](ARCHITECTURE.md)\n\n# In an app\n\n\
             - [sealwire](pkg/README.md)\n\n# Guide\n\n- [Scopes](docs/scopes.md)\n- [Protocol](docs/protocol.md)\n\
             - [Another](docs/another.md)\n\n# Decisions\n\n- [Decisions](docs/decisions/README.md)\n  \
             - [One core](docs/decisions/0001-one.md)\n\n# Project\n\n- [Contributing](CONTRIBUTING.md)\n"
        );
    }

    #[test]
    fn results_of_measurements_are_no_pages() {
        assert!(Part::of(Path::new("bench/results/results.md")).is_none());
        assert!(Part::of(Path::new("llms.txt")).is_none());
        assert!(Part::of(Path::new("docs/agents.md")).is_some());
    }
}
