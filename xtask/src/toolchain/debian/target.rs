//! Builds std for wasm32 from Debian's source of it. Tests and clippy use it; the published cores have a std of their own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::SOURCE;
use crate::{
    cargo, files,
    stamp::Inputs,
    step,
    toolchain::{TARGET, Toolchain},
    workspace::Workspace,
};

/// Returns the inputs that determine the libraries. The version has that of the recipe.
pub(super) fn inputs(toolchain: &Toolchain) -> Inputs {
    Inputs::default().text(&toolchain.version)
}

/// Returns the folder of the libraries.
pub(super) fn libraries(home: &Path) -> PathBuf {
    home.join("lib/rustlib").join(TARGET).join("lib")
}

/// Builds the libraries and adds them to the toolchain in `home`.
pub(super) fn build(workspace: &Workspace, toolchain: &Toolchain, home: &Path) -> Result<()> {
    step::building(&format!("std for {TARGET} from Debian's rust-web-src (once, about half a minute)"));
    let scratch = workspace.target.join("debian-wasm");
    let built = compile(toolchain, &scratch)?;
    let folder = libraries(home);
    files::empty_folder(&folder)?;
    for library in built {
        let name = library.file_name().context("a library has a file name")?;
        fs::copy(&library, folder.join(name))?;
    }
    fs::remove_dir_all(&scratch)?;
    Ok(())
}

/// Compiles std for an empty crate and returns the resulting libraries.
fn compile(toolchain: &Toolchain, scratch: &Path) -> Result<Vec<PathBuf>> {
    files::empty_folder(scratch)?;
    files::write(
        &scratch.join("Cargo.toml"),
        "[package]\nname = \"probe\"\nedition = \"2024\"\n[workspace]\n",
    )?;
    files::write(&scratch.join("src/lib.rs"), "#![no_std]\n")?;
    let source = fs::canonicalize(Path::new(SOURCE).join("rust"))?;
    // Without paths of this machine, the same source gives the same libraries, and folders that cargo compiled with them stay
    // valid after another build.
    let mut flags = vec![
        "-Cembed-bitcode=yes".to_owned(),
        format!("--remap-path-prefix={}=/rustc/src", source.display()),
        format!("--remap-path-prefix={SOURCE}/rust=/rustc/src"),
        format!(
            "--remap-path-prefix={}=/rustc/src",
            toolchain.sysroot.join("lib/rustlib/src/rust").display()
        ),
    ];
    flags.extend(cargo::without_home());
    toolchain
        .cargo([
            "build",
            "--quiet",
            "--release",
            "--target",
            TARGET,
            "-Zbuild-std=std,panic_abort,panic_unwind,test",
        ])
        .dir(scratch)
        .env_remove("RUSTC_WRAPPER")
        .env("CARGO_TARGET_DIR", scratch.join("target"))
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .run()
        .context("std did not build")?;
    let built = scratch.join("target").join(TARGET).join("release/deps");
    Ok(files::below(&built)
        .into_iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "rlib"))
        .filter(|file| !file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libprobe-")))
        .collect())
}
