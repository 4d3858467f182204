//! Programs from crates.io that few commands need: installed below `target/tools` in a pinned version, at first use.

use std::{env, path::PathBuf};

use anyhow::{Context, Result};

use crate::{step, workspace::Workspace};

/// A program to install.
pub(crate) struct Tool {
    /// The name of the crate.
    package: &'static str,
    program: &'static str,
    version: &'static str,
    /// The features to build, without the default ones; the default ones where there are none.
    features: &'static [&'static str],
}

/// Builds the documentation. Without its server and its watcher, which pull in two thirds of its dependencies.
pub(crate) const MDBOOK: Tool =
    Tool { package: "mdbook", program: "mdbook", version: "0.5.4", features: &["search"] };

impl Tool {
    /// The path of the program, which is installed if it is missing.
    pub(crate) fn program(&self, workspace: &Workspace) -> Result<PathBuf> {
        let Self { package, program, version, features } = self;
        let folder = workspace.target.join("tools").join(format!("{package}-{version}"));
        let path = folder.join("bin").join(format!("{program}{}", env::consts::EXE_SUFFIX));
        if path.exists() {
            return Ok(path);
        }
        let _lock = workspace.lock("tools")?;
        if path.exists() {
            return Ok(path);
        }
        step::installing(&format!("{package} {version} (once, one to three minutes)"));
        let mut arguments = vec!["install", "--quiet", "--locked", "--version", version];
        // A development build compiles in half the time, and the program works for a second.
        arguments.extend(["--profile", "dev"]);
        let features = features.join(",");
        if !features.is_empty() {
            arguments.extend(["--no-default-features", "--features", &features]);
        }
        arguments.push(package);
        duct::cmd(
            "cargo",
            arguments.into_iter().map(Into::into).chain(["--root".into(), folder.into_os_string()]),
        )
        .dir(&workspace.root)
        .env("CARGO_TARGET_DIR", workspace.target.join("tools/build"))
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .run()
        .with_context(|| {
            format!("cannot install {package}; install it with `cargo install --locked {package}@{version}`")
        })?;
        Ok(path)
    }
}
