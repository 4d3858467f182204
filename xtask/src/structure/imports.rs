//! The check `circles`: no two files of a program import each other, directly or through others.

use anyhow::{Result, ensure};

use super::{graph::Graph, rust, scripts, sources};
use crate::workspace::Workspace;

/// The root modules that a crate may have.
const ROOTS: [&str; 2] = ["src/lib.rs", "src/main.rs"];
/// The folders of TypeScript and JavaScript. Tests are left out.
const SCRIPTS: [&str; 4] = ["js/src", "js/build", "examples", "xtask/scripts"];

/// Fails with the shortest circle of each group of files that import each other.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut graph = Graph::default();
    for folder in workspace.crate_folders()? {
        for entry in ROOTS.map(|root| folder.join(root)) {
            if workspace.root.join(&entry).is_file() {
                rust::add_crate(&mut graph, &workspace.root, &entry)?;
            }
        }
    }
    let files: Vec<_> = sources::scripts(workspace)
        .into_iter()
        .filter(|file| SCRIPTS.iter().any(|folder| file.starts_with(folder)))
        .filter(|file| file.components().all(|part| part.as_os_str() != "test"))
        .collect();
    for (file, script) in scripts::read(workspace, &files)? {
        for (target, specifier) in script.imported_files(&file, &files) {
            graph.add(&file, &target, &specifier);
        }
    }
    let circles = graph.circles();
    ensure!(
        circles.is_empty(),
        "{} circles of imports (each file with the name that the file before it imports); move the shared item to a \
         file of its own, below both:\n    {}",
        circles.len(),
        circles.join("\n    ")
    );
    Ok(())
}
