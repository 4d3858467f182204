//! The accept loop of the listener for operators. Its connections are few and short, except the streams of the console.

use super::{OperatorState, routes};
use crate::listener::ACCEPT_PAUSE;
use hyper::{Request, body::Incoming, server::conn::http1, service::Service as _};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// The maximum duration of a connection without a stream. A scrape takes milliseconds.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum duration of a connection with a stream. The console then opens another one.
const STREAM_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// The maximum time until the header of a request is complete.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum number of connections without a stream. A further connection ends the oldest one, so that silent connections
/// do not lock an operator out.
const MAX_CONNECTIONS: usize = 32;

/// The connection of a request. The accept loop adds it to the extensions of every request.
#[derive(Clone)]
pub(super) struct OperatorConnection {
    pub(super) remote: IpAddr,
    /// True while the response is a stream.
    has_stream: Arc<AtomicBool>,
}

/// Exempts a connection from the limits of those without a stream until it is dropped.
pub(super) struct OpenStream(Arc<AtomicBool>);

impl OperatorConnection {
    fn new(remote: SocketAddr) -> Self {
        Self { remote: remote.ip(), has_stream: Arc::default() }
    }

    /// Marks the response of the current request as a stream.
    pub(super) fn open_stream(&self) -> OpenStream {
        self.has_stream.store(true, Ordering::Relaxed);
        OpenStream(self.has_stream.clone())
    }

    fn has_stream(&self) -> bool {
        self.has_stream.load(Ordering::Relaxed)
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Serves operators until the relay has ended.
pub(crate) async fn serve(listener: TcpListener, state: OperatorState, ended: CancellationToken) {
    let routes = TowerToHyperService::new(warp::service(routes(&state)));
    let mut connections: VecDeque<(OperatorConnection, JoinHandle<()>)> = VecDeque::new();
    while let Some(accepted) = ended.run_until_cancelled(listener.accept()).await {
        let Ok((socket, remote)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        connections.retain(|(_, task)| !task.is_finished());
        make_room(&mut connections);
        let (operator, routes) = (OperatorConnection::new(remote), routes.clone());
        let of_requests = operator.clone();
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(of_requests.clone());
            routes.call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(socket), service);
        let of_task = operator.clone();
        let task = tokio::spawn(async move {
            let mut connection = pin!(connection);
            let is_over = timeout(CONNECTION_TIMEOUT, &mut connection).await.is_ok();
            if !is_over && of_task.has_stream() {
                let _ = timeout(STREAM_TIMEOUT, connection).await;
            }
        });
        connections.push_back((operator, task));
    }
    connections.iter().for_each(|(_, task)| task.abort());
}

/// Ends the oldest connection without a stream if there are too many of them.
fn make_room(connections: &mut VecDeque<(OperatorConnection, JoinHandle<()>)>) {
    let mut short = connections.iter().enumerate().filter(|(_, (operator, _))| !operator.has_stream());
    let (oldest, count) = (short.next().map(|(index, _)| index), short.count() + 1);
    if count >= MAX_CONNECTIONS
        && let Some((_, task)) = oldest.and_then(|oldest| connections.remove(oldest))
    {
        task.abort();
    }
}
