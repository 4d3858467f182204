//! The files that an operator starts from, and the description of the HTTP interface.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};

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

/// The versions of Kubernetes against whose schemas the manifests are checked.
const KUBERNETES: [&str; 2] = ["1.34", "1.37"];

/// Checks the files of `deploy/` and the shell example, each with the program that reads it.
pub(super) fn operator_files(workspace: &Workspace) -> Result<Verdict> {
    let programs = python::tools(workspace)?;
    pass(workspace, &duct::cmd!(programs.join("hadolint"), "Dockerfile"))?;
    let scripts = ["examples/http-api/publish.sh", "deploy/nats/secrets.sh"];
    pass(workspace, &duct::cmd(programs.join("shellcheck"), scripts))?;
    for file in ["deploy/compose/Caddyfile", "deploy/compose/Caddyfile.cluster"] {
        let validate = ["validate", "--adapter=caddyfile", "--config", file];
        let caddy = duct::cmd(programs.join("caddy"), validate).env("SEALWIRE_HOST", "relay.example.com");
        pass_quietly(workspace, &caddy)?;
    }
    nats(workspace, &programs)?;
    kubernetes(workspace, &programs)?;
    let lint = ["--regions", "eu-central-1", "--", "deploy/aws/sealwire.yaml"];
    pass(workspace, &duct::cmd(programs.join("cfn-lint"), lint).stdout_to_stderr())?;
    if duct::cmd!("systemd-analyze", "--version").stdout_null().stderr_null().run().is_err() {
        step::skipping("the systemd unit: systemd-analyze is not installed (Debian: systemd)");
        return Ok(Verdict::Passed);
    }
    systemd_unit(workspace)
}

/// Checks the configuration of a NATS server, with passwords that the script writes.
fn nats(workspace: &Workspace, programs: &Path) -> Result<Verdict> {
    let folder = workspace.target.join("nats");
    files::empty_folder(&folder)?;
    for name in ["nats.conf", "accounts.conf"] {
        files::copy(&workspace.root.join("deploy/nats").join(name), &folder.join(name))?;
    }
    let servers = ["nats-1:6222", "nats-2:6222", "nats-3:6222"];
    let script = workspace.root.join("deploy/nats/secrets.sh");
    pass(workspace, &duct::cmd!("sh", script, folder.join("secrets"), servers[0], servers[1], servers[2]))?;
    let check = duct::cmd!(programs.join("nats-server"), "-t", "--config", folder.join("nats.conf"));
    pass_quietly(workspace, &check.env("NATS_NAME", "nats-1"))
}

/// Checks every manifest against the schemas of Kubernetes. Unknown fields are errors.
fn kubernetes(workspace: &Workspace, programs: &Path) -> Result<Verdict> {
    let folder = workspace.root.join("deploy/kubernetes");
    let kustomization = folder.join("kustomization.yaml");
    let is_manifest = |file: &PathBuf| {
        file.parent() == Some(&folder)
            && file.extension().is_some_and(|kind| kind == "yaml")
            && *file != kustomization
    };
    let manifests: Vec<PathBuf> = files::below(&folder).into_iter().filter(is_manifest).collect();
    ensure!(!manifests.is_empty(), "deploy/kubernetes has no manifest");
    for version in KUBERNETES {
        let validate = ["--strict", "--quiet", "--kubernetes-version", version].map(OsString::from);
        let arguments = validate.into_iter().chain(manifests.iter().map(OsString::from));
        pass_quietly(workspace, &duct::cmd(programs.join("kubernetes-validate"), arguments))?;
    }
    Ok(Verdict::Passed)
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
