//! The cluster of a relay under attack: another relay, and three NATS servers with TLS and the users of `deploy/nats`.

use sealwire_tests::{NatsCluster, NatsOptions, RelayProcess};
use std::{fs, os::unix::fs::PermissionsExt as _};

/// The users that the project ships.
const ACCOUNTS: &str = include_str!("../../../deploy/nats/accounts.conf");
/// The line of [`ACCOUNTS`] that names the file with the passwords.
const INCLUDE: &str = "include ./secrets/nats.conf";
/// The text before the first user, which is the relays', and after it.
const USERS: &str = "    users: [\n";
const AFTER_RELAY: &str = "      # For `nats --user operator";
/// The password of the relays, and of the users that the project does not ship.
pub(crate) const RELAY_PASSWORD: &str = "password of the relays";
pub(crate) const OPERATOR_PASSWORD: &str = "password of the operator";
/// The user of the same account who may do everything.
pub(crate) const INTRUDER: &str = "intruder";
/// The user of the same account with the permissions of relays of [`ANOTHER_PREFIX`].
pub(crate) const ANOTHER_RELAY: &str = "another";
pub(crate) const ANOTHER_PREFIX: &str = "staging";
/// The user of another account, who may do everything there.
pub(crate) const NEIGHBOUR: &str = "neighbour";
/// The password between the servers.
const ROUTE_PASSWORD: &str = "password-of-the-servers";

/// The other relay of a cluster, and its NATS servers.
pub(crate) struct Cluster {
    other: Option<RelayProcess>,
    pub(crate) nats: NatsCluster,
    folder: tempfile::TempDir,
}

impl Cluster {
    /// Starts the NATS servers.
    pub(crate) fn start() -> Self {
        let options = NatsOptions {
            tls: true,
            route_password: Some(ROUTE_PASSWORD.to_owned()),
            settings: accounts(),
            ..NatsOptions::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let password = folder.path().join("nats_password");
        fs::write(&password, RELAY_PASSWORD).unwrap();
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
        Self { other: None, nats: NatsCluster::start(3, options), folder }
    }

    /// Returns the settings of a relay of this cluster.
    pub(crate) fn settings(&self) -> String {
        format!(
            "broker = \"{}\"\nbroker_ca = {:?}\nbroker_user = \"relay\"\nbroker_password_file = {:?}\n",
            self.nats.urls(),
            self.nats.certificates().authority,
            self.folder.path().join("nats_password"),
        )
    }

    /// Adds the other relay.
    pub(crate) fn with(self, other: RelayProcess) -> Self {
        Self { other: Some(other), ..self }
    }

    /// The relay that is not the attackers'.
    pub(crate) fn other(&self) -> &RelayProcess {
        self.other.as_ref().expect("a target in a cluster has two relays")
    }
}

/// Returns the accounts that the project ships, with their passwords and with three more users: one of the same account
/// who may do everything, one with the permissions of relays of another prefix, and one of another account.
fn accounts() -> String {
    let (head, rest) = ACCOUNTS.split_once(INCLUDE).expect("the accounts include the passwords");
    let (before, users) = rest.split_once(USERS).expect("the first account has users");
    let (relay, others) = users.split_once(AFTER_RELAY).expect("the first user is the relays'");
    let another =
        relay.replace("user: relay", &format!("user: {ANOTHER_RELAY}")).replace("sealwire", ANOTHER_PREFIX);
    format!(
        "relay_password: {RELAY_PASSWORD:?}\noperator_password: {OPERATOR_PASSWORD:?}\n{head}{before}{USERS}{relay}{another}\
         {{ user: {INTRUDER}, password: {RELAY_PASSWORD:?} }}{AFTER_RELAY}{}",
        others.replacen(
            "  SYSTEM {",
            &format!("  NEIGHBOUR {{ jetstream: enabled, users: [{{ user: {NEIGHBOUR}, password: {RELAY_PASSWORD:?} }}] }}\n  SYSTEM {{"),
            1
        )
    )
}
