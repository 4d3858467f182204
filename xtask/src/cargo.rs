//! Cargo as a developer's shell runs it.

use std::{env, ffi::OsString, path::PathBuf};

use duct::Expression;

/// The beginnings of the variables by which the outer `cargo run` describes the package xtask.
const OF_THIS_PACKAGE: [&str; 2] = ["CARGO_PKG_", "CARGO_MANIFEST_"];

/// Returns a command of the default cargo.
pub(crate) fn command<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> Expression {
    without_this_package(&duct::cmd("cargo", arguments))
}

/// Removes the description of the package xtask from the environment of a command. Build scripts read the same names: ring's
/// runs again when one of them changes, and everything above ring would compile again after each change between
/// `cargo xtask test` and `cargo test`.
pub(crate) fn without_this_package(command: &Expression) -> Expression {
    env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| OF_THIS_PACKAGE.iter().any(|start| name.starts_with(start)))
        .fold(command.clone(), |command, name| command.env_remove(name))
}

/// Returns the flag by which rustc names the folder with the sources of dependencies `cargo`, if the folder is known. The
/// path would otherwise be part of what is compiled.
pub(crate) fn without_home() -> Option<String> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))?;
    Some(format!("--remap-path-prefix={}=cargo", home.display()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn cargo_does_not_see_the_package_of_xtask() {
        let of_this_package = |text: &str| {
            text.lines().filter(|line| OF_THIS_PACKAGE.iter().any(|start| line.starts_with(start))).count()
        };
        let before = duct::cmd!("env");
        assert_ne!(
            of_this_package(&before.read().unwrap()),
            0,
            "cargo test describes the package to its tests"
        );
        assert_eq!(of_this_package(&without_this_package(&before).read().unwrap()), 0);
    }
}
