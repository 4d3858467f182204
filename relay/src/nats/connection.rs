//! One connection to one server of the NATS cluster, which reconnects by itself for as long as it exists.

use super::authentication::Authentication;
use crate::{
    metrics::BrokerMetrics,
    settings::{NatsServer, Settings},
};
use async_nats::{Client, ConnectOptions, Event};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// The interval of pings to the server. A connection without an answer to two pings is dead.
const PING_INTERVAL: Duration = Duration::from_secs(1);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The longest pause between two attempts to connect.
const MAX_RECONNECT_DELAY: Duration = Duration::from_secs(1);

/// The error of a first connect that can never succeed.
#[derive(Debug, thiserror::Error)]
#[error("setting broker: the address {server} is not valid: {source}")]
pub(crate) struct NatsConnectError {
    server: NatsServer,
    source: std::io::Error,
}

/// A connection to one NATS server.
#[derive(Clone)]
pub(crate) struct NatsConnection {
    server: NatsServer,
    client: Client,
    losses: Arc<Losses>,
}

/// The number of times that the relay was too slow for the connection.
#[derive(Default)]
struct Losses {
    address: String,
    index: usize,
    metrics: Arc<BrokerMetrics>,
    count: AtomicU64,
    changed: Notify,
}

impl NatsConnection {
    /// Starts to connect to a server, the one with this index in `broker`. The connection is ready when it can be, and stays
    /// alive without the server.
    pub(crate) async fn start(
        settings: &Settings,
        server: &NatsServer,
        index: usize,
        metrics: Arc<BrokerMetrics>,
    ) -> Result<Self, NatsConnectError> {
        let address = server.to_string();
        let losses = Losses { address: address.clone(), index, metrics, ..Losses::default() };
        let losses = Arc::new(losses);
        let connect = options(settings, losses.clone()).connect(&address).await;
        let client = connect.map_err(|error| NatsConnectError {
            server: server.clone(),
            source: std::io::Error::other(error),
        })?;
        Ok(Self { server: server.clone(), client, losses })
    }

    /// The address of the server.
    pub(crate) fn server(&self) -> &NatsServer {
        &self.server
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the name of the connected server, or `None` while there is no connection.
    pub(crate) fn server_name(&self) -> Option<String> {
        self.is_connected().then(|| self.client.server_info().server_name).filter(|name| !name.is_empty())
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// Returns a number that changes whenever messages may have been lost: after a reconnect, or when this process was too
    /// slow. It changes before any message of the new connection arrives.
    pub(crate) fn losses(&self) -> u64 {
        self.losses.count.load(Ordering::Acquire) + self.client.statistics().connects.load(Ordering::Acquire)
    }

    /// Waits for the next connect, disconnect or loss.
    pub(crate) async fn changed(&self) {
        self.losses.changed.notified().await;
    }
}

fn options(settings: &Settings, losses: Arc<Losses>) -> ConnectOptions {
    let authentication = Authentication::of(settings);
    let mut options = ConnectOptions::with_auth_callback(move |nonce| {
        let answer = authentication.answer(&nonce);
        async move { answer.inspect_err(|error| tracing::error!(%error, "cannot authenticate at NATS")) }
    })
    .name(format!("sealwire-relay {}", settings.broker_prefix))
    .custom_inbox_prefix(format!("_INBOX.{}", settings.broker_prefix))
    .retry_on_initial_connect()
    .ignore_discovered_servers()
    .ping_interval(PING_INTERVAL)
    .connection_timeout(CONNECT_TIMEOUT)
    .request_timeout(Some(settings.broker_timeout))
    .require_tls(settings.broker.requires_tls())
    .reconnect_delay_callback(|attempts| {
        let millis = 50 << attempts.saturating_sub(1).min(6);
        if attempts == 0 { Duration::ZERO } else { Duration::from_millis(millis).min(MAX_RECONNECT_DELAY) }
    })
    .event_callback(move |event| {
        let losses = losses.clone();
        async move { losses.note(&event) }
    });
    if let Some(file) = &settings.broker_ca {
        options = options.add_root_certificates(file.clone());
    }
    if let (Some(certificate), Some(key)) = (&settings.broker_certificate, &settings.broker_key) {
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    options
}

impl Losses {
    fn note(&self, event: &Event) {
        let address = &*self.address;
        match event {
            Event::Connected => self.metrics.connected(self.index),
            Event::Disconnected => self.metrics.disconnected(self.index),
            _ => {}
        }
        match event {
            Event::Connected => tracing::info!(server = address, "connected to NATS"),
            Event::Disconnected => {
                tracing::warn!(server = address, "the connection to NATS was lost; reconnecting");
            }
            Event::SlowConsumer(_) => {
                tracing::warn!(
                    server = address,
                    "the relay was too slow for NATS; reading the lost messages again"
                );
                self.count.fetch_add(1, Ordering::AcqRel);
            }
            event => tracing::warn!(server = address, %event, "NATS reported an event"),
        }
        self.changed.notify_waiters();
    }
}
