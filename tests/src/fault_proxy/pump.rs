//! The two directions of a connection through a proxy.

use super::mode::{Control, Fault};
use bytes::{Bytes, BytesMut};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

/// The largest number of bytes that are read at once.
const CHUNK: usize = 16 * 1024;
/// The maximum number of chunks in one direction that have arrived and wait.
const WAITING_CHUNKS: usize = 64;

type Chunks = mpsc::Receiver<(Instant, Bytes)>;
type Orders = watch::Receiver<Control>;

/// Moves bytes in both directions until both are closed, or writing fails.
pub(super) async fn both_directions(client: &mut TcpStream, server: &mut TcpStream, orders: &Orders) {
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    // A failed write ends the connection, as a closed socket does.
    let _ = tokio::try_join!(
        one_direction(from_client, to_server, orders.clone()),
        one_direction(from_server, to_client, orders.clone())
    );
}

async fn one_direction(from: ReadHalf<'_>, to: WriteHalf<'_>, orders: Orders) -> io::Result<()> {
    let (sender, chunks) = mpsc::channel(WAITING_CHUNKS);
    let ((), written) = tokio::join!(read(from, sender), write(chunks, to, orders));
    written
}

/// Reads until the end. A reset counts as an end, so that a stall hides it.
async fn read(mut from: ReadHalf<'_>, chunks: mpsc::Sender<(Instant, Bytes)>) {
    loop {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        match from.read_buf(&mut chunk).await {
            Ok(1..) if chunks.send((Instant::now(), chunk.freeze())).await.is_ok() => {}
            _ => return,
        }
    }
}

async fn write(mut chunks: Chunks, mut to: WriteHalf<'_>, mut orders: Orders) -> io::Result<()> {
    let mut free_at = Instant::now();
    while let Some((arrived_at, chunk)) = chunks.recv().await {
        admit(&mut orders, arrived_at, chunk.len(), &mut free_at).await;
        to.write_all(&chunk).await?;
    }
    // A stall hides the end of a connection as well.
    admit(&mut orders, Instant::now(), 0, &mut free_at).await;
    to.shutdown().await
}

/// Waits until the current fault lets these bytes pass. `free_at` is the time at which a limited connection has sent all
/// earlier bytes.
async fn admit(orders: &mut Orders, arrived_at: Instant, len: usize, free_at: &mut Instant) {
    loop {
        let fault = orders.borrow_and_update().fault;
        let due_at = match fault {
            Fault::None | Fault::Refuse => return,
            Fault::Stall => None,
            Fault::Delay(delay) => Some(arrived_at + delay),
            Fault::Limit(rate) => {
                let duration = Duration::from_secs_f64(len as f64 / f64::from(rate.max(1)));
                Some((*free_at).max(Instant::now()) + duration)
            }
        };
        let changed = async {
            if orders.changed().await.is_err() {
                // The proxy was dropped, which ends this connection.
                std::future::pending::<()>().await;
            }
        };
        match due_at {
            None => changed.await,
            Some(due_at) => tokio::select! {
                () = sleep_until(due_at) => {
                    *free_at = due_at;
                    return;
                }
                () = changed => {}
            },
        }
    }
}
