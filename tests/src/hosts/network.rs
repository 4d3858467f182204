//! The network of the hosts: a namespace that contains this process and the switch.

use std::{
    ffi::OsString,
    net::Ipv4Addr,
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
};

/// The address of this process on the network.
pub const SWITCH: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
pub(super) const PREFIX: u8 = 24;
pub(super) const SWITCH_NAME: &str = "switch";
/// The variable that tells a process that it is on the network already.
const INSIDE: &str = "SEALWIRE_HOSTS_INSIDE";

/// Puts this process onto a network of its own, with a switch and nothing else: the process runs itself again there. It
/// must have no state yet.
///
/// # Errors
/// If the system does not permit it. The text says what it needs.
pub fn enter() -> Result<(), String> {
    if std::env::var_os(INSIDE).is_some() {
        configure();
        return Ok(());
    }
    let rights = rights().ok_or(
        "hosts need network namespaces: Linux, the programs `unshare`, `nsenter` (util-linux) and `ip` (iproute2), and the \
         right to create namespaces (as root, or unprivileged user namespaces)",
    )?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let error =
        Command::new("unshare").args(rights).arg("--").arg(program).args(arguments).env(INSIDE, "1").exec();
    Err(format!("`unshare` does not start: {error}"))
}

/// Returns the options with which `unshare` may create a network here, if there are any.
fn rights() -> Option<&'static [&'static str]> {
    let options: [&[&str]; 2] = [&["--net"], &["--user", "--map-root-user", "--net"]];
    options.into_iter().find(|options| {
        let probe = "ip link add probe type bridge && ip link set probe up && nsenter --version";
        let mut unshare = Command::new("unshare");
        let probe = unshare.args(*options).args(["--", "sh", "-c", probe]);
        let status = probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    })
}

fn configure() {
    let address = format!("{SWITCH}/{PREFIX}");
    ip(&["link", "set", "lo", "up"]);
    ip(&["link", "add", SWITCH_NAME, "type", "bridge"]);
    ip(&["addr", "add", &address, "dev", SWITCH_NAME]);
    ip(&["link", "set", SWITCH_NAME, "up"]);
}

/// Runs `ip` in this process's namespace.
pub(super) fn ip(arguments: &[&str]) {
    let status = Command::new("ip").args(arguments).stdin(Stdio::null()).status();
    assert!(status.is_ok_and(|status| status.success()), "`ip {}` succeeds", arguments.join(" "));
}
