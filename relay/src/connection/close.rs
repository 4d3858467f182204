//! The end of a connection: the last frames are written, and the client gets a moment to read them. Closing a socket
//! with unread bytes in it would throw away what the client has not read yet.

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

/// The longest time in which a client may read nothing of its last frames.
const STALL: Duration = Duration::from_secs(3);
/// How long the client may take to close its side.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Most bytes thrown away meanwhile.
const DISCARD: usize = 1024 * 1024;

/// Writes the queue for at most `patience`, then closes. A client that does not read loses the rest.
pub(super) async fn close(outbound: &Outbound, metrics: &Metrics, patience: Duration) {
    if timeout(patience, drain(outbound, metrics)).await == Ok(true) {
        outbound.socket().shut_down();
        let _ = timeout(CLOSE_TIMEOUT, discard(outbound)).await;
    } else {
        outbound.socket().abort();
    }
}

/// Whether everything was written.
async fn drain(outbound: &Outbound, metrics: &Metrics) -> bool {
    loop {
        metrics.sent.add(outbound.flush_own());
        let backlog = outbound.backlog();
        match backlog.condition {
            Condition::Broken => return false,
            Condition::Ready if backlog.bytes == 0 => return true,
            Condition::Ready => {}
            Condition::Paused => {
                yield_now().await;
                metrics.sent.add(outbound.go_on());
            }
            Condition::Blocked => {
                let writable = ready_or_broken(outbound, |socket, context| socket.poll_write_ready(context));
                if timeout(STALL, writable).await != Ok(true) {
                    return false;
                }
                metrics.sent.add(outbound.go_on());
            }
        }
    }
}

/// Reads until the client closes.
async fn discard(outbound: &Outbound) {
    let mut discarded = 0;
    while discarded < DISCARD
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

/// Waits until the socket is ready. False if it is gone, also because the shedder gave it up meanwhile.
async fn ready_or_broken(
    outbound: &Outbound,
    poll: impl Fn(&Socket, &mut Context<'_>) -> Poll<io::Result<()>>,
) -> bool {
    poll_fn(|context| {
        // Only to be woken again: no session is left for any signal.
        let _ = outbound.poll_signals(context);
        if outbound.backlog().condition == Condition::Broken {
            return Poll::Ready(false);
        }
        poll(outbound.socket(), context).map(|ready| ready.is_ok())
    })
    .await
}
