//! One client's connection: a task of its own that drives the session's rules with the socket and real time.

mod actor;
mod close;
mod outbound;
mod queue;
mod registry;
mod session_sink;
mod sessions;
mod signals;
mod socket;
mod subscriptions;
mod timers;

pub(crate) use outbound::Outbound;
pub(crate) use registry::Registry;
pub(crate) use session_sink::SessionSink;
pub(crate) use socket::{Socket, TLS_SESSION};
pub(crate) use timers::Timers;

use crate::{
    audit::{Audit, trace::RequestId},
    broker::Broker,
    fanout::Fanout,
    lifecycle::Lifecycle,
    limits::{AddressPermit, Admission, Limits},
    memory::Memory,
    metrics::Metrics,
    session::SessionConfig,
    session_id::SessionId,
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

/// What every connection of a relay shares.
pub(crate) struct ConnectionContext {
    /// What new sessions are held to; each keeps what it began with.
    pub(crate) terms: ArcSwap<SessionConfig>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) fanout: Arc<Fanout<SessionSink>>,
    /// Most bytes that wait to be written to one client.
    pub(crate) queue_bytes: usize,
    pub(crate) limits: Arc<Limits>,
    pub(crate) memory: Arc<Memory>,
    /// Wakes connections when their time has come.
    pub(crate) timers: Arc<Timers>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) metrics: Arc<Metrics>,
    /// The id of the next session.
    pub(crate) next_id: AtomicU64,
}

impl ConnectionContext {
    /// An id for another session.
    pub(crate) fn next_id(&self) -> SessionId {
        SessionId(self.next_id.fetch_add(1, Ordering::Relaxed))
    }
}

/// What a connection holds among the limits until its end.
pub(crate) type ConnectionPermits = (Arc<Admission>, Option<AddressPermit>);

/// A socket after its opening handshake.
pub(crate) struct Opened {
    pub(crate) socket: Socket,
    /// What was read after the handshake already.
    pub(crate) unread: bytes::Bytes,
    /// Whether the client takes several messages in one.
    pub(crate) takes_batches: bool,
    pub(crate) remote: IpAddr,
    /// The request that it began as, for the log.
    pub(crate) request: RequestId,
    pub(crate) permits: ConnectionPermits,
}

/// Runs a connection until its end. The only way out unregisters it, also where the task is dropped.
pub(crate) fn run(
    context: Arc<ConnectionContext>,
    opened: Opened,
) -> impl Future<Output = ()> + Send + 'static {
    Actor::new(context, opened)
}
