//! A load balancer for one address of many relays: a process of its own, which forwards bytes. It sends a client to the
//! first relay that accepts the connection, so that all clients are on one relay until that dies.

use anyhow::{Context as _, Result};
use std::{
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
};
use tokio::{
    io::copy_bidirectional_with_sizes,
    net::{TcpListener, TcpStream},
    runtime::Builder,
};

/// The buffer of each direction of a connection.
const BUFFER_BYTES: usize = 4096;

/// Prints its address and forwards connections until the process is killed.
pub(crate) fn serve(relays: &[SocketAddr]) -> Result<()> {
    rlimit::increase_nofile_limit(u64::MAX)?;
    let relays: &'static [SocketAddr] = relays.to_vec().leak();
    Builder::new_current_thread().enable_io().build()?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let mut out = std::io::stdout();
        writeln!(out, "listening on http://{}", listener.local_addr()?)?;
        out.flush()?;
        loop {
            let (client, _) = listener.accept().await.context("cannot accept a connection")?;
            tokio::spawn(forward(client, relays));
        }
    })
}

async fn forward(mut client: TcpStream, relays: &[SocketAddr]) {
    for address in relays {
        let Ok(mut relay) = TcpStream::connect(address).await else { continue };
        if client.set_nodelay(true).is_ok() && relay.set_nodelay(true).is_ok() {
            // The end of either side is the end of both.
            let _ = copy_bidirectional_with_sizes(&mut client, &mut relay, BUFFER_BYTES, BUFFER_BYTES).await;
        }
        return;
    }
}
