//! The licences of the libraries in a binary, which their authors ask to be passed on with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{cargo, files, relay::PUBLISHED_FEATURES, workspace::Workspace};

/// Returns the texts of the licences of all crates that are linked into a package of the workspace, each text once.
pub(super) fn of_libraries(workspace: &Workspace, package: &str, target: &str) -> Result<String> {
    let linked = linked(workspace, package, target)?;
    let arguments =
        ["metadata", "--locked", "--format-version=1", "--all-features", "--filter-platform", target];
    let metadata: Value = serde_json::from_str(&cargo::command(arguments).dir(&workspace.root).read()?)?;
    let packages = metadata["packages"].as_array().context("`cargo metadata` names no packages")?;
    let mut crates_by_text: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // The crates of this repository have its own licence.
    for one in packages.iter().filter(|one| !one["source"].is_null()) {
        let name = format!("{} {}", text(&one["name"]), text(&one["version"]));
        if !linked.contains(&name) {
            continue;
        }
        let folder = Path::new(text(&one["manifest_path"])).parent().context("a manifest has a folder")?;
        let mut texts = texts_in(folder)?;
        // A library in C is in a folder of the crate, with a licence of its own.
        for part in fs::read_dir(folder)? {
            let part = part?.path();
            if part.is_dir() {
                texts.extend(texts_in(&part)?);
            }
        }
        // A crate whose archive has no text names its licence.
        let fallback = texts.is_empty().then(|| format!("Licence: {}", text(&one["license"])));
        for text in texts.into_iter().chain(fallback) {
            crates_by_text.entry(text).or_default().push(name.clone());
        }
    }
    let mut all = String::from("The binary contains these libraries, under the licences below them.\n");
    for (text, crates) in crates_by_text {
        all += &format!("\n{}\n{}\n\n{text}\n", "-".repeat(80), crates.join("\n"));
    }
    Ok(all)
}

/// The names and versions of the crates that are linked into a package. `cargo metadata` would add those of features that
/// only other packages enable.
fn linked(workspace: &Workspace, package: &str, target: &str) -> Result<BTreeSet<String>> {
    let selection =
        ["tree", "--locked", "--package", package, "--target", target, "--features", PUBLISHED_FEATURES];
    let format = ["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"];
    let tree = cargo::command(selection.into_iter().chain(format)).dir(&workspace.root).read()?;
    Ok(tree.lines().filter_map(name_and_version).collect())
}

/// Reads a line of `cargo tree`, such as `bytes v1.12.0 (*)`.
fn name_and_version(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    Some(format!("{} {}", words.next()?, words.next()?.strip_prefix('v')?))
}

/// The texts of the licence files in the folder of a crate.
fn texts_in(folder: &Path) -> Result<Vec<String>> {
    let is_licence = |name: &str| {
        let name = name.to_ascii_uppercase();
        ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT"].iter().any(|prefix| name.starts_with(prefix))
    };
    let mut paths: Vec<_> = fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.is_file() && path.file_name().and_then(|name| name.to_str()).is_some_and(is_licence)
        })
        .collect();
    paths.sort();
    paths.iter().map(|path| Ok(files::read_text(path)?.trim().replace("\r\n", "\n"))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::name_and_version;

    #[test]
    fn a_line_of_cargo_tree_is_a_name_and_a_version() {
        for (line, expected) in [
            ("bytes v1.12.0", Some("bytes 1.12.0")),
            ("serde v1.0.229 (*)", Some("serde 1.0.229")),
            ("sealwire-relay v0.1.0 (/home/ada/sealwire/relay)", Some("sealwire-relay 0.1.0")),
            ("", None),
        ] {
            assert_eq!(name_and_version(line).as_deref(), expected, "{line}");
        }
    }
}
