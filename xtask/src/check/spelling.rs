//! Spelling, checked by `typos` with the settings in `_typos.toml`.

use anyhow::{Context, Result};

use super::{Verdict, pass};
use crate::{python, workspace::Workspace};

pub(super) fn typos(workspace: &Workspace) -> Result<Verdict> {
    let typos = python::tools(workspace)?.join("typos");
    pass(workspace, &duct::cmd!(typos, "--format", "brief").stdout_to_stderr())
        .context("correct the words, or add names that are spelt as meant to _typos.toml")
}
