//! The users of NATS, and the script that writes their passwords.

use super::{read, root};
use sealwire_relay::Config;
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

/// Returns the text that sets the passwords of NATS and the routes to its servers.
pub(super) fn secrets(relay: &str, operator: &str, route: &str, servers: &[&str]) -> String {
    let mut text = format!(
        "relay_password: \"{relay}\"\noperator_password: \"{operator}\"\nroute_password: \"{route}\"\nroutes: [\n"
    );
    for server in servers {
        text += &format!("  \"nats://route:{route}@{server}\"\n");
    }
    text + "]\n"
}

#[test]
fn the_relays_user_of_nats_reaches_its_own_streams_and_no_others() {
    let settings = Config::default().settings;
    let (prefix, streams) = (settings.broker_prefix.as_str(), settings.broker_streams);
    let mut expected = vec![format!("{prefix}.>")];
    for api in ["STREAM.INFO", "STREAM.CREATE", "STREAM.MSG.GET", "DIRECT.GET"] {
        expected.extend((0..streams).map(|stream| format!("$JS.API.{api}.{prefix}-{stream}")));
    }
    for api in ["INFO", "CREATE", "UPDATE", "MSG.GET", "PURGE"] {
        expected.push(format!("$JS.API.STREAM.{api}.{prefix}-revocations"));
    }
    let denied = format!("{prefix}.live.>");
    let heard = ["live", "relays", "presence", "revocations"].map(|part| format!("{prefix}.{part}.>"));
    expected.push(denied);
    expected.extend(heard);
    expected.push(format!("_INBOX.{prefix}.>"));

    let accounts = read("deploy/nats/accounts.conf");
    let user = accounts.split_once("user: relay").unwrap().1.split_once("user: operator").unwrap().0;
    let subjects: Vec<_> = user.split('"').skip(1).step_by(2).collect();
    assert_eq!(subjects, expected);
    for part in ["publish {\n", "allow: [\n", "deny: [\"", "subscribe {\n"] {
        assert!(user.contains(part), "{part}");
    }
}

#[test]
fn the_servers_of_nats_hold_the_messages_of_the_relays() {
    let settings = Config::default().settings;
    let conf = read("deploy/nats/nats.conf");
    let memory = conf.split_once("max_memory_store: ").unwrap().1.split_once("M\n").unwrap().0;
    assert!(memory.parse::<u64>().unwrap() << 20 >= 2 * settings.broker_bytes);
    assert_eq!(settings.broker_replicas, 3);
}

fn write_secrets(folder: &Path, servers: &[&str]) -> bool {
    let script = root().join("deploy/nats/secrets.sh");
    Command::new("sh").arg(script).arg(folder).args(servers).status().unwrap().success()
}

#[test]
fn the_passwords_of_nats_are_written_once_and_for_their_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("secrets");
    let servers = ["nats-1:6222", "nats-2:6222"];
    assert!(write_secrets(&folder, &servers));
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let conf = text("nats.conf");
    let passwords: Vec<_> = conf.split("_password: \"").skip(1).map(|rest| &rest[..64]).collect();
    let [relay, operator, route] = passwords[..] else { panic!("{conf}") };
    assert!(relay != operator && operator != route && route != relay);
    assert_eq!(conf, secrets(relay, operator, route, &servers));
    assert_eq!(text("nats_password"), format!("{relay}\n"));
    for path in [folder.clone(), folder.join("nats.conf"), folder.join("nats_password")] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o077, 0);
    }
    assert!(!write_secrets(&folder, &servers), "passwords in use must stay");
    assert_eq!(text("nats.conf"), conf);
}
