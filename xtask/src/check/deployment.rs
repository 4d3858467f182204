//! The files that an operator starts from, and the description of the HTTP interface.

use anyhow::Result;

use super::{Verdict, pass, pass_quietly};
use crate::{files, python, step, workspace::Workspace};

/// Lints the OpenAPI description with Redocly.
pub(super) fn openapi(workspace: &Workspace) -> Result<Verdict> {
    let linter = workspace.root.join("node_modules/.bin/redocly");
    let lint = ["lint", "--config=protocol/openapi/redocly.yaml", "protocol/openapi/relay.json"];
    let command =
        duct::cmd(linter, lint).env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    pass_quietly(workspace, &command)
}

/// Checks the Dockerfile, the shell example, the Caddyfile, and the systemd unit if systemd is installed.
pub(super) fn operator_files(workspace: &Workspace) -> Result<Verdict> {
    let programs = python::tools(workspace)?;
    pass(workspace, &duct::cmd!(programs.join("hadolint"), "Dockerfile"))?;
    pass(workspace, &duct::cmd!(programs.join("shellcheck"), "examples/http-api/publish.sh"))?;
    let caddyfile = ["validate", "--adapter=caddyfile", "--config=deploy/compose/Caddyfile"];
    let caddy = duct::cmd(programs.join("caddy"), caddyfile).env("SEALWIRE_HOST", "relay.example.com");
    pass_quietly(workspace, &caddy)?;
    if duct::cmd!("systemd-analyze", "--version").stdout_null().stderr_null().run().is_err() {
        step::skipping("the systemd unit: systemd-analyze is not installed (Debian: systemd)");
        return Ok(Verdict::Passed);
    }
    systemd_unit(workspace)
}

/// systemd-analyze requires that the unit's program exists, so a copy names another program.
fn systemd_unit(workspace: &Workspace) -> Result<Verdict> {
    let unit = files::read_text(&workspace.root.join("deploy/systemd/sealwire-relay.service"))?;
    let copy = workspace.target.join("systemd/sealwire-relay.service");
    files::write(&copy, unit.replace("/usr/local/bin/sealwire-relay", "/bin/true"))?;
    let socket = copy.with_extension("socket");
    files::copy(&workspace.root.join("deploy/systemd/sealwire-relay.socket"), &socket)?;
    pass_quietly(workspace, &duct::cmd!("systemd-analyze", "verify", &copy, &socket))?;
    pass_quietly(
        workspace,
        &duct::cmd!("systemd-analyze", "security", "--offline=true", "--threshold=11", &copy),
    )
}
