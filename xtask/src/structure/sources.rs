//! The source files of the repository.

use std::path::{Path, PathBuf};

use crate::{files, workspace::Workspace};

/// The extensions of source files. TypeScript and JavaScript are read by a script, Rust by this program.
const RUST: [&str; 1] = ["rs"];
const SCRIPTS: [&str; 4] = ["ts", "tsx", "mjs", "js"];

/// Every Rust file, relative to the repository.
pub(super) fn rust(workspace: &Workspace) -> Vec<PathBuf> {
    with_extension(workspace, &RUST)
}

/// Every TypeScript and JavaScript file, relative to the repository.
pub(super) fn scripts(workspace: &Workspace) -> Vec<PathBuf> {
    with_extension(workspace, &SCRIPTS)
}

fn with_extension(workspace: &Workspace, extensions: &[&str]) -> Vec<PathBuf> {
    files::below(&workspace.root)
        .iter()
        .filter_map(|file| file.strip_prefix(&workspace.root).ok())
        .filter(|file| has_extension(file, extensions))
        .map(Path::to_owned)
        .collect()
}

fn has_extension(file: &Path, extensions: &[&str]) -> bool {
    file.extension().is_some_and(|found| extensions.iter().any(|extension| found == *extension))
}
