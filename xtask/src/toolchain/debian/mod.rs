//! A toolchain from Debian's packages, which contain rustc, cargo and the source of std: a folder outside the repository with links
//! to them. The packages have no std for wasm32; `target` builds it.

mod target;

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use super::{TARGET, Toolchain};
use crate::{apt, files, stamp::Inputs, stamp::Stamp, step, workspace::Workspace};

/// The version of the recipe of the toolchain and of std for wasm32; every change of either must raise it.
const RECIPE: &str = "5";
const PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
const USR_BIN: &str = "/usr/bin";
const SOURCE: &str = "/usr/lib/rustlib/src";
/// The name of the toolchain in rustup, for `cargo +debian-wasm`.
const NAME: &str = "debian-wasm";

/// Returns the toolchain and builds it if necessary. Returns nothing outside Debian, without root if packages are
/// missing, and if Debian's Rust is too old for this workspace.
pub(super) fn with_std_source(workspace: &Workspace) -> Result<Option<Toolchain>> {
    let Some(debian) = programs(workspace)? else { return Ok(None) };
    let home = home()?;
    let stamp = Stamp::new(home.join("stamp"), inputs(&debian)?);
    let programs = [home.join("bin/rustc"), home.join("bin/cargo")];
    bring_up_to_date(workspace, &stamp, &programs, || build(&debian, &home))?;
    Toolchain::open(Some(home.join("bin"))).map(Some)
}

/// Returns the same toolchain with the wasm32 target, which it builds if necessary.
pub(super) fn with_target(workspace: &Workspace) -> Result<Option<Toolchain>> {
    let Some(toolchain) = with_std_source(workspace)? else { return Ok(None) };
    let home = home()?;
    let stamp = Stamp::new(home.join("target.stamp"), target::inputs(&toolchain));
    let libraries = [target::libraries(&home)];
    bring_up_to_date(workspace, &stamp, &libraries, || target::build(workspace, &toolchain, &home))?;
    ensure!(
        toolchain.has_target(),
        "the toolchain in {} lacks the target {TARGET}: remove that folder and run this again",
        home.display()
    );
    Ok(Some(toolchain))
}

/// Makes the outputs unless they are current. Another `cargo xtask` may make them at the same time.
fn bring_up_to_date(
    workspace: &Workspace,
    stamp: &Stamp,
    outputs: &[PathBuf],
    make: impl FnOnce() -> Result<()>,
) -> Result<()> {
    if stamp.is_current(outputs) {
        return Ok(());
    }
    let _lock = workspace.lock("toolchain")?;
    if stamp.is_current(outputs) {
        return Ok(());
    }
    make()?;
    stamp.write()
}

/// Returns Debian's programs, and installs them if necessary.
fn programs(workspace: &Workspace) -> Result<Option<Toolchain>> {
    if !is_installed() && apt::is_usable() {
        // The caller tries rustup next, so a failure here is no error.
        let _ = apt::install(&PACKAGES);
    }
    if !is_installed() {
        return Ok(None);
    }
    let debian = Toolchain::open(Some(USR_BIN.into()))?;
    let is_usable = is_new_enough(&debian.version, &files::read_text(&workspace.root.join("Cargo.toml"))?);
    Ok(is_usable.then_some(debian))
}

fn inputs(debian: &Toolchain) -> Result<Inputs> {
    Ok(Inputs::default().text(RECIPE).text(&debian.version).text(&linker(&host(&debian.version))?))
}

fn is_installed() -> bool {
    ["rustc", "cargo"].iter().all(|program| Path::new(USR_BIN).join(program).exists())
        && Path::new(SOURCE).join("rust/library/std/Cargo.toml").exists()
}

/// Returns true if the output of `rustc -vV` has at least the `rust-version` of a Cargo.toml.
fn is_new_enough(version: &str, manifest: &str) -> bool {
    // Both versions are 1.x, so the minor number decides.
    let minor = |text: &str, name: &str| -> Option<u32> {
        let (_, number) = text.split_once(name)?.1.split_once("1.")?;
        let end = number.find(|character: char| !character.is_ascii_digit()).unwrap_or(number.len());
        number[..end].parse().ok()
    };
    minor(version, "release: ") >= minor(manifest, "rust-version")
}

fn home() -> Result<PathBuf> {
    let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let data = data.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".local/share")));
    Ok(data.context("neither XDG_DATA_HOME nor HOME is set")?.join("sealwire").join(NAME))
}

/// Links Debian's programs, libraries and sources into a sysroot of its own.
fn build(debian: &Toolchain, home: &Path) -> Result<()> {
    let host = host(&debian.version);
    files::empty_folder(home)?;
    let rustlib = home.join("lib/rustlib");
    fs::create_dir_all(rustlib.join(&host).join("bin"))?;
    fs::create_dir_all(home.join("bin"))?;
    link(&Path::new("/usr/lib/rustlib").join(&host).join("lib"), &rustlib.join(&host).join("lib"))?;
    link(Path::new(SOURCE), &rustlib.join("src"))?;
    link(Path::new(&linker(&host)?), &rustlib.join(&host).join("bin/rust-lld"))?;
    link(&Path::new(USR_BIN).join("cargo"), &home.join("bin/cargo"))?;
    for program in ["rustc", "rustdoc"] {
        wrap(program, home)?;
    }
    // The link serves `cargo +debian-wasm`; xtask calls the programs by their paths.
    let link: [&OsStr; 4] = ["toolchain".as_ref(), "link".as_ref(), NAME.as_ref(), home.as_os_str()];
    if let Err(error) = duct::cmd("rustup", link).stderr_null().run() {
        step::skipping(&format!("`rustup toolchain link {NAME}`: {error}"));
    }
    Ok(())
}

/// Returns the path of the wasm linker: rustup's rust-lld, or Debian's lld if rustup has none.
fn linker(host: &str) -> Result<String> {
    let of_rustup = duct::cmd("rustc", ["--print", "sysroot"])
        .read()
        .map(|sysroot| format!("{}/lib/rustlib/{host}/bin/rust-lld", sysroot.trim()));
    let of_debian = || {
        let versions = fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok).map(|entry| entry.path());
        versions.map(|path| path.join("bin/lld")).filter(|lld| lld.exists()).max()
    };
    if let Some(lld) = of_rustup.ok().filter(|lld| Path::new(lld).exists()) {
        return Ok(lld);
    }
    if of_debian().is_none() && apt::is_usable() {
        apt::install(&["lld-19"])?;
    }
    let lld = of_debian().context("no linker for wasm: install Debian's lld-19 and run this again")?;
    Ok(lld.to_string_lossy().into_owned())
}

/// Adds Debian's clippy to the toolchain if it is installed or can be installed.
pub(super) fn add_clippy() -> Result<()> {
    let is_there = || Path::new(USR_BIN).join("cargo-clippy").exists();
    if !is_there() && apt::is_usable() {
        let _ = apt::install(&["rust-web-clippy"]);
    }
    if !is_there() {
        return Ok(());
    }
    let home = home()?;
    let wrapper = home.join("bin/cargo-clippy");
    files::write(
        &wrapper,
        format!("#!/bin/sh\nSYSROOT='{}' exec {USR_BIN}/cargo-clippy \"$@\"\n", home.display()),
    )?;
    make_executable(&wrapper)
}

/// Writes a script that starts Debian's program with this sysroot. A link would use Debian's sysroot. The version names the
/// recipe, since cargo compiles a folder again if the version changes, and does not notice by itself that std did.
fn wrap(program: &str, home: &Path) -> Result<()> {
    let path = home.join("bin").join(program);
    let original = format!("{USR_BIN}/{program}");
    let version =
        format!("if [ \"$*\" = -vV ]; then {original} -vV && exec echo 'std for {TARGET}: {RECIPE}'; fi");
    let start = format!("exec {original} --sysroot '{}' \"$@\"", home.display());
    files::write(&path, format!("#!/bin/sh\n{version}\n{start}\n"))?;
    make_executable(&path)
}

fn host(version: &str) -> String {
    version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned()
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> Result<()> {
    std::os::unix::fs::symlink(to, at).with_context(|| format!("cannot link {}", at.display()))
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
}

#[cfg(not(unix))]
fn link(_to: &Path, _at: &Path) -> Result<()> {
    anyhow::bail!("Debian's toolchain only exists on Debian")
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> Result<()> {
    anyhow::bail!("Debian's toolchain only exists on Debian")
}

#[cfg(test)]
mod tests {
    use super::is_new_enough;

    #[test]
    fn a_rust_older_than_the_workspace_requires_is_rejected() {
        let manifest = "[workspace.package]\nrust-version = \"1.95\"\n";
        assert!(is_new_enough("rustc 1.96.0\nrelease: 1.96.0\nLLVM version: 22.1.8", manifest));
        assert!(is_new_enough("rustc 1.95.0\nrelease: 1.95.0\n", manifest));
        assert!(!is_new_enough("rustc 1.85.0\nrelease: 1.85.0\n", manifest));
    }
}
