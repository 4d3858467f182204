//! The systemd unit and its configuration.

use super::{check_config, must_take, read, seconds, setting};
use crate::support::App;
use sealwire_relay::Config;

const UNIT: &str = "deploy/systemd/sealwire-relay.service";

/// Returns the values of a key of the systemd unit.
fn unit(key: &str) -> Vec<String> {
    let unit = read(UNIT);
    let values: Vec<_> = unit
        .lines()
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix('=').map(str::to_owned))
        .collect();
    assert!(!values.is_empty(), "the unit has no {key}");
    values
}

#[test]
fn the_relay_of_the_systemd_unit_accepts_its_configuration() {
    let key = App::one().key_text;
    let printed =
        check_config(&read("deploy/systemd/relay.toml"), &[], &[("/etc/sealwire/signing_key", &key)]);
    assert_eq!(setting(&printed, "listen"), "\"127.0.0.1:7440\"");
    let start: Vec<_> = unit("ExecStart")[0].split(' ').map(str::to_owned).collect();
    let [binary, run, flag, config] = &start[..] else { panic!("{start:?}") };
    assert_eq!((&**binary, &**config), ("/usr/local/bin/sealwire-relay", "/etc/sealwire/relay.toml"));
    must_take(&[run, flag, config]);
    assert!(setting(&printed, "admin_listen").contains("127.0.0.1:"));
    let socket = read("deploy/systemd/sealwire-relay.socket");
    assert!(socket.contains("\nListenStream=443\n") && socket.contains("\nWantedBy=sockets.target\n"));
    // A reload checks the configuration before it sends the signal.
    assert_eq!(
        unit("ExecReload"),
        [format!("{binary} check-config {flag} {config}"), "kill -HUP $MAINPID".into()]
    );
    must_take(&["check-config", flag, config]);
    assert!(seconds(&unit("TimeoutStopSec")[0]) > Config::default().settings.drain_deadline);
    let files: usize = unit("LimitNOFILE")[0].parse().unwrap();
    assert!(files > Config::default().settings.max_connections);
    let user = &unit("User")[0];
    assert!(read("deploy/systemd/sealwire-relay.sysusers").contains(&format!("\nu {user} ")));
}
