//! The imports and functions of TypeScript and JavaScript files, read by `xtask/scripts/structure.mjs`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::Value;

use super::function::Function;
use crate::{files, workspace::Workspace};

/// The structure of one file.
pub(super) struct Script {
    /// The modules that the file imports, as written.
    specifiers: Vec<String>,
    pub(super) functions: Vec<Function>,
}

/// Reads the files, which are relative to the repository.
pub(super) fn read(workspace: &Workspace, files: &[PathBuf]) -> Result<BTreeMap<PathBuf, Script>> {
    let list: Vec<_> = files.iter().map(|file| file.to_string_lossy()).collect();
    let output = duct::cmd!("node", "xtask/scripts/structure.mjs")
        .dir(&workspace.root)
        .stdin_bytes(list.join("\n"))
        .read()
        .context("cannot read the structure of the scripts")?;
    let read: BTreeMap<PathBuf, Value> = serde_json::from_str(&output)?;
    Ok(read.into_iter().map(|(file, value)| (file, script(&value))).collect())
}

fn script(value: &Value) -> Script {
    let list = |name: &str| value[name].as_array().cloned().unwrap_or_default();
    let number = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or(0);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Script {
        specifiers: list("imports").iter().map(text).collect(),
        functions: list("functions")
            .iter()
            .map(|function| Function {
                name: text(&function["name"]),
                line: number(&function["line"]),
                lines: number(&function["lines"]),
            })
            .collect(),
    }
}

impl Script {
    /// The files among `files` that this script, in `file`, imports, with the specifier of each import.
    pub(super) fn imported_files(&self, file: &Path, files: &[PathBuf]) -> Vec<(PathBuf, String)> {
        let folder = file.parent().unwrap_or(Path::new(""));
        self.specifiers
            .iter()
            .filter(|specifier| specifier.starts_with('.'))
            .filter_map(|specifier| {
                let target = files::normalized(&folder.join(specifier));
                // TypeScript sources name the JavaScript that the compiler makes of a module.
                let candidates = [target.clone(), target.with_extension("ts"), target.with_extension("tsx")];
                let found = candidates.into_iter().find(|candidate| files.contains(candidate))?;
                Some((found, specifier.clone()))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_specifier_leads_to_the_typescript_that_it_is_compiled_from() {
        let files = ["js/src/a/b.ts", "js/src/c.tsx", "js/build/d.mjs"].map(PathBuf::from);
        let script = Script {
            specifiers: ["../a/b.js", "../c.js", "../../build/d.mjs", "react"].map(Into::into).into(),
            functions: Vec::new(),
        };
        let found = script.imported_files(Path::new("js/src/a/x.ts"), &files);
        let found: Vec<_> = found.iter().map(|(file, _)| file.clone()).collect();
        assert_eq!(found, files);
    }
}
