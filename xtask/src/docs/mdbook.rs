//! mdBook: installed from crates.io below `target/tools` in a pinned version, at first use.

use std::{env, path::PathBuf};

use anyhow::{Context, Result};

use crate::{cargo, step, workspace::Workspace};

const PACKAGE: &str = "mdbook";
const VERSION: &str = "0.5.4";

/// Returns the path of the program, which is installed if it is missing.
pub(super) fn program(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("tools").join(format!("{PACKAGE}-{VERSION}"));
    let path = folder.join("bin").join(format!("{PACKAGE}{}", env::consts::EXE_SUFFIX));
    if path.exists() {
        return Ok(path);
    }
    let _lock = workspace.lock("tools")?;
    if path.exists() {
        return Ok(path);
    }
    step::installing(&format!("{PACKAGE} {VERSION} (once, one to three minutes)"));
    let mut arguments = vec!["install", "--quiet", "--locked", "--version", VERSION];
    // A development build compiles in half the time, and the program works for a second.
    arguments.extend(["--profile", "dev"]);
    // Its server and its watcher pull in two thirds of its dependencies.
    arguments.extend(["--no-default-features", "--features", "search", PACKAGE]);
    cargo::command(arguments.into_iter().map(Into::into).chain(["--root".into(), folder.into_os_string()]))
        .dir(&workspace.root)
        .env("CARGO_TARGET_DIR", workspace.target.join("tools/build"))
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .run()
        .with_context(|| {
            format!("cannot install {PACKAGE}; install it with `cargo install --locked {PACKAGE}@{VERSION}`")
        })?;
    Ok(path)
}
