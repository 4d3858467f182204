//! The known bugs of tests/mutations.json.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{files, workspace::Workspace};

const FILE: &str = "tests/mutations.json";

/// A known bug.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mutation {
    pub(super) name: String,
    pub(super) edits: Vec<Edit>,
    /// The arguments of `cargo test` for the tests of one rule that find the bug. Without them, the schedules must.
    pub(super) test: Option<Vec<String>>,
}

/// A replacement of a text that its file contains once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edit {
    pub(super) file: PathBuf,
    pub(super) from: String,
    pub(super) to: String,
}

pub(super) fn read(workspace: &Workspace) -> Result<Vec<Mutation>> {
    let text = files::read_text(&workspace.root.join(FILE))?;
    serde_json::from_str(&text).with_context(|| format!("{FILE} has another form than xtask expects"))
}
