//! One client's connection: a task that drives the sessions' state machines with the socket and real time.

mod actor;
mod close;
mod outbound;
mod presences;
mod queue;
mod registry;
mod session_sink;
mod sessions;
mod signals;
mod socket;
mod subscriptions;
mod timers;

pub(crate) use outbound::Outbound;
pub(crate) use registry::{Registry, account_tag};
pub(crate) use session_sink::SessionSink;
pub(crate) use socket::{Socket, TLS_SESSION};
pub(crate) use timers::Timers;

use crate::{
    activity::Observation,
    audit::{Audit, trace::RequestId},
    broker::Broker,
    fanout::Fanout,
    lifecycle::Lifecycle,
    limits::{AddressPermit, Admission, Limits},
    memory::Memory,
    metrics::Metrics,
    presence::Presences,
    session::SessionConfig,
    session_id::SessionId,
    telemetry::Telemetry,
};
use actor::Actor;
use arc_swap::ArcSwap;
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// The state that all connections of a relay share.
pub(crate) struct ConnectionContext {
    /// The configuration of new sessions. A session keeps the configuration that it started with.
    pub(crate) session_config: ArcSwap<SessionConfig>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) fanout: Arc<Fanout<SessionSink>>,
    pub(crate) presences: Arc<Presences>,
    /// The maximum bytes in one client's queue, without replays.
    pub(crate) queue_bytes: usize,
    pub(crate) limits: Arc<Limits>,
    pub(crate) memory: Arc<Memory>,
    /// The timers that wake connections at their deadlines.
    pub(crate) timers: Arc<Timers>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) telemetry: Telemetry,
    pub(crate) observation: Observation,
    /// The id of the next session.
    pub(crate) next_id: AtomicU64,
}

impl ConnectionContext {
    /// Returns an unused session id.
    pub(crate) fn next_id(&self) -> SessionId {
        SessionId(self.next_id.fetch_add(1, Ordering::Relaxed))
    }
}

/// The permits that a connection releases when it ends.
pub(crate) type ConnectionPermits = (Arc<Admission>, Option<AddressPermit>);

/// A connection whose opening handshake is complete, and which has no task yet.
pub(crate) struct NewConnection {
    pub(crate) socket: Socket,
    /// The bytes that were read after the handshake.
    pub(crate) unread: bytes::Bytes,
    /// True if the client accepts batches of messages.
    pub(crate) takes_batches: bool,
    /// The client's address.
    pub(crate) remote: IpAddr,
    /// The id of the HTTP request that opened the connection, for the log.
    pub(crate) request: RequestId,
    pub(crate) permits: ConnectionPermits,
}

/// Runs a connection until it ends. Dropping the future unregisters the connection, also before its end.
pub(crate) fn run(
    context: Arc<ConnectionContext>,
    new: NewConnection,
) -> impl Future<Output = ()> + Send + 'static {
    Actor::new(context, new)
}
