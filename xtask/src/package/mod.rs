//! Builds the npm package: the cores, the bundles that js/build.mjs makes of them, and the tarball.

mod budget;
mod sizes;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{
    core, files, npm,
    stamp::{Inputs, Stamp},
    step,
    workspace::Workspace,
};

/// Builds the package, prints the sizes that an app downloads and compares them with the budget.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let tarball = build(workspace)?;
    let within_budget = sizes::report(workspace);
    println!("\n{}", tarball.display());
    within_budget
}

/// Brings pkg/dist and the tarball up to date and returns the path of the tarball.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    core::build(workspace)?;
    let _lock = workspace.lock("package")?;
    let package = workspace.root.join("pkg");
    let manifest: Value = serde_json::from_slice(&files::read(&package.join("package.json"))?)?;
    let version = manifest["version"].as_str().context("pkg/package.json has no `version`")?;
    // Not below CARGO_TARGET_DIR, since pkg/dist does not move with it either.
    let folder = workspace.root.join("target/package");
    let tarball = folder.join(format!("sealwire-{version}.tgz"));

    let mut inputs = Inputs::default().text(&core::stamps(workspace)?);
    for path in [
        "js/src",
        "js/build",
        "js/build.mjs",
        "js/package.json",
        "js/tsconfig.json",
        "pkg",
        "package-lock.json",
    ] {
        inputs = inputs.path(&workspace.root, path)?;
    }
    let stamp = Stamp::new(folder.join("stamp"), inputs);
    if !stamp.is_current(&[tarball.clone(), package.join("dist/index.js")]) {
        step::building("the npm package");
        npm::script(workspace, "js/build.mjs").run()?;
        fs::create_dir_all(&folder)?;
        duct::cmd!("npm", "pack", "--silent", "--pack-destination", &folder)
            .dir(&package)
            .stdout_null()
            .run()
            .context("npm pack failed")?;
        stamp.write()?;
    }
    Ok(tarball)
}
