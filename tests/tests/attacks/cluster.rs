//! The cluster of a relay under attack: another relay, and three NATS servers with TLS and the users of `deploy/nats`.

use sealwire_tests::{NatsCluster, NatsOptions, RelayProcess};
use std::{fs, os::unix::fs::PermissionsExt as _};

/// The users that the project ships.
const ACCOUNTS: &str = include_str!("../../../deploy/nats/accounts.conf");
/// The line of [`ACCOUNTS`] that names the file with the passwords.
const INCLUDE: &str = "include ./secrets/nats.conf";
/// The passwords of the relays, and of the operator.
const RELAY_PASSWORD: &str = "password of the relays";
const OPERATOR_PASSWORD: &str = "password of the operator";
/// The password between the servers.
const ROUTE_PASSWORD: &str = "password-of-the-servers";

/// The other relay of a cluster, and its NATS servers.
pub(crate) struct Cluster {
    other: Option<RelayProcess>,
    nats: NatsCluster,
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

/// Returns the accounts that the project ships, with their passwords.
fn accounts() -> String {
    assert!(ACCOUNTS.contains(INCLUDE));
    let passwords =
        format!("relay_password: {RELAY_PASSWORD:?}\noperator_password: {OPERATOR_PASSWORD:?}\n");
    ACCOUNTS.replace(INCLUDE, &passwords)
}
