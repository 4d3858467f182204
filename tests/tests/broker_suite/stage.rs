//! The relays of a case: one with the embedded broker, or two on a NATS cluster.

use sealwire_protocol::{
    Scope,
    wire::{Channel, Publication, Published, Since, Subscribed, ToClient},
};
use sealwire_tests::{Installation, NatsCluster, NatsOptions, RawSocket, RelayCluster};
use std::{sync::Arc, time::Duration};

/// The number of bytes before the text of a test's message, as long as the header and the nonce of a sealed one.
const HEADER: usize = 80;
pub(crate) const READY_TIMEOUT: Duration = Duration::from_secs(30);

/// The relays, and two installations that they serve.
pub(crate) struct Stage {
    pub(crate) relays: RelayCluster,
}

impl Stage {
    pub(crate) fn embedded() -> Self {
        Self { relays: RelayCluster::embedded(installations(), "") }
    }

    pub(crate) fn nats() -> Self {
        Self::on_servers(3)
    }

    /// Starts the relays on this number of NATS servers. Each stream has at most three copies.
    pub(crate) fn on_servers(servers: usize) -> Self {
        let nats = NatsCluster::start(servers, NatsOptions::default());
        let relays = RelayCluster::on(nats, 2, installations(), "");
        assert!(relays.await_ready(READY_TIMEOUT), "{}", relays.log_tail(0));
        Self { relays }
    }

    /// Opens a session of an installation on the first relay.
    pub(crate) fn first(&self, installation: usize) -> RawSocket {
        self.open(0, installation)
    }

    /// Opens a session of an installation on the last relay, which is another one if there are several.
    pub(crate) fn last(&self, installation: usize) -> RawSocket {
        self.open(self.relays.size() - 1, installation)
    }

    fn open(&self, relay: usize, installation: usize) -> RawSocket {
        let token = self.relays.installations()[installation].session("account", &Scope::default(), 300);
        RawSocket::open(self.relays.port(relay), &token)
    }

    /// Loses everything that the broker stores, and waits until the relays are ready again.
    pub(crate) fn lose_everything(&self) {
        match self.relays.nats() {
            None => {
                self.relays.kill(0);
                self.relays.restart(0);
            }
            Some(nats) => {
                (0..nats.size()).for_each(|server| nats.kill(server));
                (0..nats.size()).for_each(|server| nats.restart(server));
                assert!(nats.await_ready(READY_TIMEOUT), "{}", nats.log_tails());
            }
        }
        assert!(self.relays.await_ready(READY_TIMEOUT), "{}", self.relays.log_tail(0));
    }
}

fn installations() -> Vec<Arc<Installation>> {
    ["app-0", "app-1"].map(|app| Arc::new(Installation::new(app))).to_vec()
}

/// Returns an installation-wide channel.
pub(crate) fn channel(name: &str) -> Channel {
    Channel { name: name.into(), properties: vec![], token: String::new() }
}

pub(crate) fn subscribe(socket: &mut RawSocket, name: &str, since: Option<Since>) -> Subscribed {
    match socket.subscribe(channel(name), since) {
        ToClient::Subscribed(subscribed) => subscribed,
        other => panic!("{other:?}"),
    }
}

/// Publishes a text under a random id.
pub(crate) fn publish(socket: &mut RawSocket, name: &str, text: &str) -> Published {
    let mut id = [0; 16];
    getrandom::fill(&mut id).unwrap();
    publish_as(socket, name, text, id)
}

/// Publishes a text under an id.
pub(crate) fn publish_as(socket: &mut RawSocket, name: &str, text: &str, id: [u8; 16]) -> Published {
    match socket.publish(channel(name), sealed(text), id) {
        ToClient::Published(published) => published,
        other => panic!("{other:?}"),
    }
}

/// Returns the bytes of a message that no test opens.
pub(crate) fn sealed(text: &str) -> Vec<u8> {
    let mut bytes = vec![1; HEADER];
    bytes.extend(text.as_bytes());
    bytes
}

/// Returns the next publication.
pub(crate) fn receive(socket: &mut RawSocket) -> Publication {
    match socket.expect_message() {
        ToClient::Publication(publication) => publication,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn text(publication: &Publication) -> String {
    String::from_utf8(publication.sealed[HEADER..].to_vec()).unwrap()
}

/// Returns the texts of the next publications.
pub(crate) fn texts(socket: &mut RawSocket, count: usize) -> Vec<String> {
    (0..count).map(|_| text(&receive(socket))).collect()
}
