//! TOML blocks: configurations of the relay, checked by the relay itself.

use anyhow::Result;

use crate::{files, relay, workspace::Workspace};

pub(super) fn toml(workspace: &Workspace, code: &str) -> Result<Result<(), String>> {
    let file = workspace.target.join("samples-config/sealwire-relay.toml");
    files::write(&file, code)?;
    let output = duct::cmd!(relay::build(workspace)?, "check-config", "--config", &file)
        .stderr_to_stdout()
        .stdout_capture()
        .unchecked()
        .run()?;
    if output.status.success() {
        return Ok(Ok(()));
    }
    let complaint = String::from_utf8_lossy(&output.stdout);
    Ok(Err(format!("`sealwire-relay check-config` refuses it: {}", complaint.trim())))
}
