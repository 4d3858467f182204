//! The settings of the relays on a NATS cluster.

use crate::{Certificates, NatsCluster};
use std::{fmt::Write as _, net::SocketAddr};

/// The start of the names of streams and subjects.
const PREFIX: &str = "test";

/// Returns the settings of a relay that reaches the NATS servers at these addresses.
pub(super) fn broker_settings(nats: &NatsCluster, addresses: &[SocketAddr]) -> String {
    let scheme = nats.scheme();
    let servers: Vec<_> = addresses.iter().map(|address| format!("{scheme}://{address}")).collect();
    let mut settings = format!(
        "\nbroker = \"{}\"\nbroker_prefix = \"{PREFIX}\"\nbroker_streams = 2\nbroker_replicas = {}\n\
         broker_bytes = \"64MiB\"\n",
        servers.join(","),
        nats.size().min(3)
    );
    if scheme == "tls" {
        let Certificates { authority, client, client_key, .. } = nats.certificates();
        let _ = write!(
            settings,
            "broker_ca = {authority:?}\nbroker_certificate = {client:?}\nbroker_key = {client_key:?}\n"
        );
    }
    settings
}
