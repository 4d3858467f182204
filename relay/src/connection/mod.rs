//! One client's connection: a task of its own that drives the session's rules with the socket and real time.

mod actor;
mod alarms;
mod frames;
mod linger;
mod memberships;
mod outbound;
mod outlet;
mod queue;
mod registry;
mod seats;
mod signals;
mod socket;

pub(crate) use alarms::Alarms;
pub(crate) use outbound::Outbound;
pub(crate) use outlet::Outlet;
pub(crate) use registry::Registry;
pub(crate) use socket::{Socket, TLS_SESSION};

use crate::{
    audit::Audit,
    broker::Broker,
    fanout::{ConnectionId, Fanout},
    lifecycle::Lifecycle,
    limits::{AddressPlace, Admission, Limits},
    memory::Memory,
    metrics::Metrics,
    reloadable::Reloadable,
    session::SessionTerms,
    trace::RequestId,
};
use actor::Actor;
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
    pub(crate) terms: Reloadable<SessionTerms>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) fanout: Arc<Fanout>,
    /// Most bytes that wait to be written to one client.
    pub(crate) queue_bytes: usize,
    pub(crate) limits: Arc<Limits>,
    pub(crate) memory: Arc<Memory>,
    /// Wakes connections when their time has come.
    pub(crate) alarms: Arc<Alarms>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) metrics: Arc<Metrics>,
    /// The id of the next session.
    pub(crate) next_id: AtomicU64,
}

impl ConnectionContext {
    /// An id for another session.
    pub(crate) fn next_id(&self) -> ConnectionId {
        ConnectionId(self.next_id.fetch_add(1, Ordering::Relaxed))
    }
}

/// What a connection holds among the limits until its end.
pub(crate) type Places = (Arc<Admission>, Option<AddressPlace>);

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
    pub(crate) places: Places,
}

/// Runs a connection until its end. The only way out unregisters it, also where the task is dropped.
pub(crate) fn run(
    context: Arc<ConnectionContext>,
    opened: Opened,
) -> impl Future<Output = ()> + Send + 'static {
    Actor::new(context, opened)
}
