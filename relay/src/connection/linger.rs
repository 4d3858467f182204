//! The end of a connection: the last frames are written, and the client gets a moment to read them. Closing a socket
//! with unread bytes in it would throw away what the client has not read yet.

use super::{Outbound, outbound::Condition};
use crate::metrics::Metrics;
use bytes::BytesMut;
use std::time::Duration;
use tokio::{task::yield_now, time::timeout};

/// How long the client may take to close its side.
const FAREWELL: Duration = Duration::from_secs(1);
/// Most bytes thrown away meanwhile.
const DISCARD: usize = 1024 * 1024;

/// Writes what is queued for at most `patience`, then closes.
pub(super) async fn close(outbound: &Outbound, metrics: &Metrics, patience: Duration) {
    if timeout(patience, drain(outbound, metrics)).await == Ok(true) {
        outbound.socket().shut_down();
        let _ = timeout(FAREWELL, discard(outbound)).await;
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
                if outbound.socket().writable().await.is_err() {
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
    while discarded < DISCARD && outbound.socket().readable().await.is_ok() {
        let mut scratch = BytesMut::with_capacity(4096);
        match outbound.socket().try_read_buf(&mut scratch) {
            Ok(0) => return,
            Ok(count) => discarded += count,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}
