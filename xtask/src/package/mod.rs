//! Builds the npm packages: `sealwire` from the cores and the bundles that js/build.mjs makes of them, and those of the relay.

mod budget;
mod licences;
mod relay_packages;
mod sizes;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::{
    core, files, npm, relay,
    stamp::{Inputs, Stamp},
    step,
    workspace::Workspace,
};

use relay_packages::Binaries;

#[derive(Args)]
pub(crate) struct Options {
    /// The packages to build; without a name, all.
    #[arg(value_enum)]
    packages: Vec<Package>,
    /// A folder with the relay's binary for each platform, as <os>-<cpu>/sealwire-relay in Node's names. Without it, the
    /// package has a binary that is built here, for this machine.
    #[arg(long, value_name = "FOLDER")]
    relay_binaries: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Package {
    /// For apps: pages and functions.
    Sealwire,
    /// The relay, for people without Rust.
    SealwireRelay,
}

/// Builds the packages. Prints the sizes that an app downloads and compares them with the budget.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let is_chosen = |package| options.packages.is_empty() || options.packages.contains(&package);
    if is_chosen(Package::SealwireRelay) {
        let binaries = match &options.relay_binaries {
            Some(folder) => Binaries::In(folder.clone()),
            None => Binaries::Here(relay::build_for_release(workspace)?),
        };
        let tarballs = relay_packages::pack(workspace, &binaries, &folder(workspace))?;
        relay_packages::report(&tarballs)?;
    }
    if is_chosen(Package::Sealwire) {
        let tarball = build(workspace)?;
        let within_budget = sizes::report(workspace);
        println!("\n{}", tarball.display());
        within_budget?;
    }
    Ok(())
}

/// Packs the relay's packages with a binary that builds sooner than the released one, for the tests. Returns the tarballs,
/// with that of the launcher first.
pub(crate) fn build_relay_for_tests(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let binary = Binaries::Here(relay::build_quick(workspace)?);
    Ok(relay_packages::pack(workspace, &binary, &folder(workspace).join("quick"))?.0)
}

/// The folder of the tarballs. It is not below CARGO_TARGET_DIR, since pkg/dist does not move with it either.
fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join("target/package")
}

/// Brings pkg/dist and the tarball up to date and returns the path of the tarball.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    core::build(workspace)?;
    let _lock = workspace.lock("package")?;
    let package = workspace.root.join("pkg");
    let manifest: Value = serde_json::from_slice(&files::read(&package.join("package.json"))?)?;
    let version = manifest["version"].as_str().context("pkg/package.json has no `version`")?;
    let folder = folder(workspace);
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
