//! Finds or builds a Rust toolchain that can compile for wasm32, and one that can build std from source.

mod debian;
mod rustup;

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use duct::Expression;

use crate::{cargo, workspace::Workspace};

/// The target of every build that runs in JavaScript.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// A cargo with the rustc that it starts.
pub(crate) struct Toolchain {
    /// The folder with the programs of a toolchain outside rustup; nothing for the default toolchain.
    bin: Option<PathBuf>,
    sysroot: PathBuf,
    /// The output of `rustc -vV`.
    pub(crate) version: String,
}

impl Toolchain {
    fn open(bin: Option<PathBuf>) -> Result<Self> {
        let rustc = program(bin.as_deref(), "rustc");
        let ask = |arguments: &[&str]| {
            environment(bin.as_deref(), duct::cmd(&rustc, arguments))
                .read()
                .with_context(|| format!("cannot run {}", rustc.to_string_lossy()))
        };
        let sysroot = ask(&["--print", "sysroot"])?.trim().into();
        let version = ask(&["-vV"])?;
        Ok(Self { bin, sysroot, version })
    }

    /// Returns a cargo command of this toolchain.
    pub(crate) fn cargo<A: Into<OsString>>(&self, arguments: impl IntoIterator<Item = A>) -> Expression {
        environment(self.bin.as_deref(), duct::cmd(program(self.bin.as_deref(), "cargo"), arguments))
    }

    fn has_target(&self) -> bool {
        let libraries = self.sysroot.join("lib/rustlib").join(TARGET).join("lib");
        std::fs::read_dir(libraries).is_ok_and(|mut files| {
            files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd-")))
        })
    }

    fn has_std_source(&self) -> bool {
        self.sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file()
    }
}

/// Returns a string: duct resolves a relative *path* in the current folder instead of on the PATH.
fn program(bin: Option<&Path>, name: &str) -> OsString {
    bin.map_or_else(|| name.into(), |bin| bin.join(name).into_os_string())
}

/// Sets the variables that select cargo and rustc in `bin`, and removes those that the outer `cargo run` and rustup
/// set.
fn environment(bin: Option<&Path>, command: Expression) -> Expression {
    // duct applies the innermost setting last, so this function must not touch a variable that callers set.
    let command = cargo::without_this_package(&command).env_remove("LD_LIBRARY_PATH");
    let Some(bin) = bin else { return command };
    let rest = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([bin.to_owned()].into_iter().chain(env::split_paths(&rest)));
    command
        .env_remove("RUSTUP_TOOLCHAIN")
        .env("RUSTC", bin.join("rustc"))
        .env("RUSTDOC", bin.join("rustdoc"))
        .env("PATH", path.unwrap_or(rest))
}

/// Returns a toolchain with the wasm32 target: the active one, one from Debian's packages, or the active one after
/// rustup has added the target.
pub(crate) fn with_target(workspace: &Workspace) -> Result<Toolchain> {
    first(
        workspace,
        &format!("the target {TARGET}"),
        Toolchain::has_target,
        debian::with_target,
        rustup::add_target,
    )
}

/// Returns a toolchain with the source of std, searched in the same order. Use it with `RUSTC_BOOTSTRAP=1` and
/// `-Zbuild-std`.
pub(crate) fn with_std_source(workspace: &Workspace) -> Result<Toolchain> {
    first(
        workspace,
        "the source of std (rust-src)",
        Toolchain::has_std_source,
        debian::with_std_source,
        rustup::add_source,
    )
}

/// Returns the toolchain with the wasm32 target if it has clippy.
pub(crate) fn with_clippy(workspace: &Workspace) -> Result<Option<Toolchain>> {
    let toolchain = with_target(workspace)?;
    if toolchain.bin.is_some() {
        debian::add_clippy()?;
    }
    let asked = toolchain.cargo(["clippy", "--version"]).stdout_null().stderr_null().unchecked().run()?;
    Ok(asked.status.success().then_some(toolchain))
}

fn first(
    workspace: &Workspace,
    what: &str,
    suits: fn(&Toolchain) -> bool,
    debian: fn(&Workspace) -> Result<Option<Toolchain>>,
    download: fn() -> Result<()>,
) -> Result<Toolchain> {
    let active = Toolchain::open(None)?;
    if suits(&active) {
        return Ok(active);
    }
    if let Some(debian) = debian(workspace)? {
        return Ok(debian);
    }
    download().with_context(|| format!("no Rust toolchain has {what}"))?;
    let active = Toolchain::open(None)?;
    ensure!(
        suits(&active),
        "rustup installed {what}, but not for the toolchain in {}",
        active.sysroot.display()
    );
    Ok(active)
}

/// Prints the shell lines that make `cargo build --target wasm32-unknown-unknown` work.
pub(crate) fn print(workspace: &Workspace) -> Result<()> {
    if let Some(bin) = with_target(workspace)?.bin {
        println!("export PATH=\"{}:$PATH\"; unset RUSTUP_TOOLCHAIN", bin.display());
    }
    Ok(())
}
