//! One client's connection: a task of its own that drives the session's rules with the socket and real time.

mod actor;
mod linger;
mod memberships;
mod outbound;
mod queue;

pub(crate) use outbound::Outbound;

use crate::{
    broker::Broker,
    clock::Now,
    fanout::{ConnectionId, Fanout},
    session::{SessionRules, SessionTerms},
    websocket::Decoder,
};
use actor::Actor;
use memberships::Memberships;
use std::{net::IpAddr, sync::Arc};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// What every connection of a relay shares.
pub(crate) struct ConnectionContext {
    pub(crate) terms: Arc<SessionTerms>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) fanout: Arc<Fanout>,
    /// Most bytes that wait to be written to one client.
    pub(crate) queue_bytes: usize,
    /// Cancelled when the relay shuts down.
    pub(crate) shutdown: CancellationToken,
}

/// A socket after its opening handshake.
pub(crate) struct Opened {
    pub(crate) socket: TcpStream,
    /// What was read after the handshake already.
    pub(crate) unread: bytes::Bytes,
    pub(crate) remote: IpAddr,
}

/// Runs a connection until its end. The only way out unregisters it, also where the task is dropped.
pub(crate) async fn run(context: Arc<ConnectionContext>, id: ConnectionId, opened: Opened) {
    let Opened { socket, unread, remote } = opened;
    let outbound = Arc::new(Outbound::new(socket, context.queue_bytes));
    // Consecutive ids are spread over the whole range.
    let jitter = (id.0 as u32).wrapping_mul(0x9e37_79b9) >> 8;
    let actor = Actor {
        rules: SessionRules::new(context.terms.clone(), jitter, Now::read()),
        decoder: Decoder::new(&unread),
        memberships: Memberships::new(id, outbound.clone(), context.fanout.clone(), context.broker.clone()),
        pending: None,
        context,
        outbound,
        remote,
    };
    drop(unread);
    actor.run().await;
}
