//! Closes a connection: writes the last frames, and gives the client time to read them. Closing a socket that has
//! unread input would discard output that the client has not read yet.

use super::{Outbound, Socket, outbound::Condition};
use crate::metrics::Metrics;
use bytes::BytesMut;
use std::{
    future::poll_fn,
    io,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{task::yield_now, time::timeout};

/// The maximum time in which a client reads nothing of its last frames.
const STALL_TIMEOUT: Duration = Duration::from_secs(3);
/// The time within which the client must close its side.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// The maximum number of bytes from the client that are discarded meanwhile.
const MAX_DISCARDED: usize = 1024 * 1024;

/// Writes the queue for at most `limit`, then closes the socket. A client that does not read loses the rest.
pub(super) async fn close(outbound: &Outbound, metrics: &Metrics, limit: Duration) {
    if timeout(limit, drain(outbound, metrics)).await == Ok(true) {
        outbound.socket().shut_down();
        let _ = timeout(CLOSE_TIMEOUT, discard(outbound)).await;
    } else {
        outbound.socket().abort();
    }
}

/// Writes the queue. Returns whether all of it was written.
async fn drain(outbound: &Outbound, metrics: &Metrics) -> bool {
    loop {
        metrics.sent.add(outbound.flush_from_task());
        let backlog = outbound.backlog();
        match backlog.condition {
            Condition::Broken => return false,
            Condition::Ready if backlog.bytes == 0 => return true,
            Condition::Ready => {}
            Condition::Paused => {
                yield_now().await;
                metrics.sent.add(outbound.resume_writing());
            }
            Condition::Blocked => {
                let writable = ready_or_broken(outbound, |socket, context| socket.poll_write_ready(context));
                if timeout(STALL_TIMEOUT, writable).await != Ok(true) {
                    return false;
                }
                metrics.sent.add(outbound.resume_writing());
            }
        }
    }
}

/// Discards input until the client closes its side.
async fn discard(outbound: &Outbound) {
    let mut discarded = 0;
    while discarded < MAX_DISCARDED
        && ready_or_broken(outbound, |socket, context| socket.poll_read_ready(context)).await
    {
        let mut scratch = BytesMut::with_capacity(4096);
        match outbound.socket().try_read_buf(&mut scratch) {
            Ok(0) => return,
            Ok(count) => discarded += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// Waits until the socket is ready. Returns false if it is broken, for example because the shedder ended it.
async fn ready_or_broken(
    outbound: &Outbound,
    poll: impl Fn(&Socket, &mut Context<'_>) -> Poll<io::Result<()>>,
) -> bool {
    poll_fn(|context| {
        // This registers the waker; no session is left to handle the signals.
        let _ = outbound.poll_signals(context);
        if outbound.backlog().condition == Condition::Broken {
            return Poll::Ready(false);
        }
        poll(outbound.socket(), context).map(|ready| ready.is_ok())
    })
    .await
}
