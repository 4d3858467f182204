//! The accept loop of the listener for clients; `server` starts it. It spawns one task per connection.

use super::{
    ACCEPT_PAUSE, AcceptedStream, Listener,
    arrival::Arrival,
    serve::{Routes, Server, Transport},
};
use crate::{
    http::{self, HttpContext},
    http_connections::Paced,
    proxies::PeerAddress,
};
use hyper_util::service::TowerToHyperService;
use std::{pin::pin, sync::Arc};
use tokio::time::sleep;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Accepts connections until the relay ends.
pub(crate) async fn accept(
    listener: Listener,
    context: Arc<HttpContext>,
    shutdown: CancellationToken,
    tasks: TaskTracker,
) {
    let routes = TowerToHyperService::new(warp::service(http::routes(context.clone())));
    let server = Arc::new(Server { context, routes, shutdown });
    while let Some(accepted) = server.shutdown.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok(AcceptedStream::Tcp(stream, peer)) => {
                // Nagle's algorithm would delay small messages.
                let _ = stream.set_nodelay(true);
                spawn(stream, PeerAddress::tcp(peer.ip()), &server, &tasks);
            }
            Ok(AcceptedStream::Unix(stream)) => spawn(stream, PeerAddress::unix(), &server, &tasks),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Spawns the task of a connection. Drops the connection if the relay has no capacity even to refuse it.
fn spawn<S: Transport, R: Routes>(
    stream: S,
    address: PeerAddress,
    server: &Arc<Server<R>>,
    tasks: &TaskTracker,
) {
    let Some(arrival) = Arrival::new(address, S::uses_tls(&server.context), &server.context) else { return };
    let http_connection = arrival.http_connection().clone();
    let stream = Paced::new(stream, http_connection.clone());
    let server = server.clone();
    tasks.spawn(async move {
        let task = pin!(async {
            let admission = arrival.admit(stream, &server.context, &server.shutdown).await;
            if let Some((stream, accepted)) = admission {
                S::serve(stream, accepted, &server).await;
            }
        });
        http_connection.run(task).await;
    });
}
