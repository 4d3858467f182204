//! Imports between the files of a Rust crate.

mod module;
mod names;
mod resolve;
mod tree;

use std::path::Path;

use anyhow::Result;

use self::tree::Crate;
use super::graph::Graph;

/// Adds the imports of the crate with this root module. Paths in the graph are relative to `root`.
pub(super) fn add_crate(graph: &mut Graph, root: &Path, entry: &Path) -> Result<()> {
    Crate::read(root, entry)?.add_imports(graph);
    Ok(())
}
