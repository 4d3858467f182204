//! Builds the npm packages of the relay: `sealwire-relay`, which starts a binary, and a package with the binary for each
//! platform, of which npm installs one.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::licences;
use crate::{files, step, workspace::Workspace};

const LAUNCHER: &str = "pkg-relay";
const BINARY: &str = "sealwire-relay";
/// The file with the licences of the libraries in a binary.
const LIBRARIES: &str = "LICENSES-OF-LIBRARIES.txt";

/// A platform with a package.
struct Platform {
    /// The operating system and the processor, as Node.js names them.
    os: &'static str,
    cpu: &'static str,
    /// The target of rustc.
    target: &'static str,
}

/// The platforms. The binaries for Linux are linked statically, so that they need no C library.
const PLATFORMS: [Platform; 4] = [
    Platform { os: "darwin", cpu: "arm64", target: "aarch64-apple-darwin" },
    Platform { os: "darwin", cpu: "x64", target: "x86_64-apple-darwin" },
    Platform { os: "linux", cpu: "arm64", target: "aarch64-unknown-linux-gnu" },
    Platform { os: "linux", cpu: "x64", target: "x86_64-unknown-linux-gnu" },
];

/// The binaries to pack.
pub(crate) enum Binaries {
    /// One for each platform, at `<folder>/<os>-<cpu>/sealwire-relay`.
    In(PathBuf),
    /// One for this machine.
    Here(PathBuf),
}

/// The tarballs, with that of the launcher first.
pub(crate) struct Tarballs(pub(crate) Vec<PathBuf>);

impl Platform {
    fn name(&self) -> String {
        format!("{}-{}", self.os, self.cpu)
    }

    fn package(&self) -> String {
        format!("{BINARY}-{}", self.name())
    }

    /// The platform of this machine.
    fn here() -> Result<&'static Self> {
        let os = if env::consts::OS == "macos" { "darwin" } else { env::consts::OS };
        let cpu = match env::consts::ARCH {
            "x86_64" => "x64",
            "aarch64" => "arm64",
            other => other,
        };
        PLATFORMS
            .iter()
            .find(|platform| (platform.os, platform.cpu) == (os, cpu))
            .with_context(|| format!("there is no package of the relay for {os}-{cpu}"))
    }
}

/// Packs the launcher and the binaries into `folder`.
pub(crate) fn pack(workspace: &Workspace, binaries: &Binaries, folder: &Path) -> Result<Tarballs> {
    let _lock = workspace.lock("package")?;
    step::building("the npm packages of the relay");
    let launcher = workspace.root.join(LAUNCHER);
    let manifest: Value = serde_json::from_slice(&files::read(&launcher.join("package.json"))?)?;
    check_platforms(&manifest)?;
    fs::create_dir_all(folder)?;
    let staging = folder.join("relay");
    files::empty_folder(&staging)?;
    let launcher_copy = staging.join(BINARY);
    for file in files::below(&launcher) {
        files::copy(&file, &launcher_copy.join(file.strip_prefix(&launcher)?))?;
    }
    copy_licences(workspace, &launcher_copy)?;
    let mut tarballs = vec![npm_pack(&launcher_copy, folder)?];
    let chosen = match binaries {
        Binaries::Here(binary) => vec![(Platform::here()?, binary.clone())],
        Binaries::In(folder) => {
            PLATFORMS.iter().map(|one| (one, folder.join(one.name()).join(BINARY))).collect()
        }
    };
    for (platform, binary) in chosen {
        let package = stage(workspace, &manifest, platform, &binary, &staging)?;
        tarballs.push(npm_pack(&package, folder)?);
    }
    Ok(Tarballs(tarballs))
}

/// Prints the size of each tarball.
pub(crate) fn report(tarballs: &Tarballs) -> Result<()> {
    println!();
    for tarball in &tarballs.0 {
        println!("{} ({:.1} MB)", tarball.display(), fs::metadata(tarball)?.len() as f64 / 1e6);
    }
    Ok(())
}

/// Fails unless the launcher depends on exactly the packages of the platforms, in its own version.
fn check_platforms(manifest: &Value) -> Result<()> {
    let expected: serde_json::Map<_, _> =
        PLATFORMS.iter().map(|platform| (platform.package(), manifest["version"].clone())).collect();
    ensure!(
        manifest["optionalDependencies"] == Value::Object(expected.clone()),
        "{LAUNCHER}/package.json must have these optionalDependencies: {:#}",
        Value::Object(expected)
    );
    Ok(())
}

/// Makes the folder of a platform's package.
fn stage(
    workspace: &Workspace,
    launcher: &Value,
    platform: &Platform,
    binary: &Path,
    staging: &Path,
) -> Result<PathBuf> {
    let package = staging.join(platform.package());
    let program = package.join("bin").join(BINARY);
    files::copy(binary, &program).with_context(|| format!("there is no binary for {}", platform.name()))?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    let manifest = json!({
        "name": platform.package(),
        "version": launcher["version"],
        "description": format!("The binary of sealwire-relay for {}", platform.name()),
        "homepage": launcher["homepage"],
        "bugs": launcher["bugs"],
        "repository": launcher["repository"],
        "license": launcher["license"],
        "os": [platform.os],
        "cpu": [platform.cpu],
        "files": ["bin", "LICENSE-APACHE", "LICENSE-MIT", LIBRARIES],
        // Package managers that keep packages in archives could not start the binary there.
        "preferUnplugged": true,
    });
    files::write(&package.join("package.json"), format!("{manifest:#}\n"))?;
    let readme = format!(
        "# {}\n\nThe binary of [sealwire-relay](https://www.npmjs.com/package/{BINARY}) for {}. Install `{BINARY}`, which \
         depends on it.\n",
        platform.package(),
        platform.name()
    );
    files::write(&package.join("README.md"), readme)?;
    copy_licences(workspace, &package)?;
    let libraries = licences::of_libraries(workspace, BINARY, platform.target)?;
    files::write(&package.join(LIBRARIES), libraries)?;
    Ok(package)
}

fn copy_licences(workspace: &Workspace, package: &Path) -> Result<()> {
    ["LICENSE-APACHE", "LICENSE-MIT"]
        .into_iter()
        .try_for_each(|name| files::copy(&workspace.root.join(name), &package.join(name)))
}

/// Packs a package into the folder, and returns the path of the tarball.
fn npm_pack(package: &Path, folder: &Path) -> Result<PathBuf> {
    let name = duct::cmd!("npm", "pack", "--silent", "--pack-destination", folder)
        .dir(package)
        .read()
        .context("npm pack failed")?;
    Ok(folder.join(name.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_launcher_depends_on_the_package_of_each_platform() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pkg-relay/package.json");
        let mut manifest: Value = serde_json::from_slice(&fs::read(path).expect("readable")).expect("JSON");
        check_platforms(&manifest).expect("all platforms are listed");
        manifest["version"] = json!("9.9.9");
        assert!(check_platforms(&manifest).is_err(), "a release must raise them together");
    }
}
