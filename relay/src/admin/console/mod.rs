//! The console: a page for operators that shows the relay live, looks up an account, and ends sessions. The page and its
//! files are part of the binary. Reading needs no token, as with the metrics; changes need the one of `admin_token_file`.

mod advice;
mod assets;
mod census;
mod counts;
mod disconnect;
mod guard;
mod hashes;
mod lookup;
mod party;
mod presence;
mod snapshot;
mod stream;

use super::listener::OperatorConnection;
use crate::http::{self, HttpContext, HttpError};
use bytes::Bytes;
use census::Census;
use counts::{Counts, History};
use guard::Guard;
use hashes::Hashes;
use snapshot::Snapshot;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use stream::Viewers;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use warp::{
    Filter,
    filters::{body, ext, method},
    http::{HeaderMap, Method, StatusCode},
    reply::Response,
};

/// The interval of snapshots while an operator looks.
const INTERVAL: Duration = Duration::from_secs(2);
/// The maximum size of a request's body, in bytes.
const MAX_BODY: u64 = 16 * 1024;

/// The state of the console.
pub(crate) struct Console {
    http: Arc<HttpContext>,
    hashes: Hashes,
    viewers: Viewers,
    started_at: Instant,
}

impl Console {
    pub(crate) fn new(http: Arc<HttpContext>) -> Arc<Self> {
        let hashes = Hashes::new(http.connection.telemetry.clone());
        Arc::new(Self { http, hashes, viewers: Viewers::default(), started_at: Instant::now() })
    }

    /// Publishes snapshots while somebody looks, until the relay has ended. All viewers get the same ones.
    pub(crate) async fn run(self: Arc<Self>, ended: CancellationToken) {
        while ended.run_until_cancelled(self.viewers.first()).await.is_some() {
            let (mut history, mut census) = (History::default(), Census::default());
            while self.viewers.are_present() {
                history.add(Instant::now(), Counts::read(&self.http));
                census.take(&self.http).await;
                self.viewers.show(&Snapshot::of(&self, &history, &census));
                if ended.run_until_cancelled(sleep(INTERVAL)).await.is_none() {
                    return;
                }
            }
            self.viewers.clear();
        }
    }
}

/// The routes of the console. Each checks that the request comes from its page, or from no page.
pub(super) fn routes(
    console: Arc<Console>,
) -> impl Filter<Extract = (Response,), Error = warp::Rejection> + Clone + Send + Sync + 'static {
    let console = warp::any().map(move || console.clone());
    let read = warp::path("console")
        .and(warp::path::tail())
        .and(method::method())
        .and(warp::header::headers_cloned())
        .and(ext::get::<OperatorConnection>())
        .and(console.clone())
        .map(read);
    let write = warp::path("console")
        .and(warp::path::tail())
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(ext::get::<OperatorConnection>())
        .and(body::content_length_limit(MAX_BODY))
        .and(body::bytes())
        .and(console)
        .then(write);
    write.or(read).unify().map(guard::harden)
}

fn read(
    path: warp::path::Tail,
    method: Method,
    headers: HeaderMap,
    connection: OperatorConnection,
    console: Arc<Console>,
) -> Response {
    let path = path.as_str();
    if let Err(refused) = Guard::of(&headers).check_read() {
        return refused.into();
    }
    if matches!(path, "lookup" | "disconnect") {
        return match method {
            Method::POST => HttpError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body must have a 'Content-Length' of at most {MAX_BODY} bytes"),
            )
            .into(),
            _ => http::method_not_allowed("POST"),
        };
    }
    if method != Method::GET {
        return http::method_not_allowed("GET");
    }
    match path {
        "events" => console.viewers.open(&connection),
        path => assets::serve(path),
    }
}

async fn write(
    path: warp::path::Tail,
    headers: HeaderMap,
    connection: OperatorConnection,
    body: Bytes,
    console: Arc<Console>,
) -> Response {
    if let Err(refused) = Guard::of(&headers).check_write() {
        return refused.into();
    }
    match path.as_str() {
        "lookup" => lookup::look_up(&console, &body),
        "disconnect" => disconnect::disconnect(&console, &headers, connection.remote, &body).await,
        _ => http::method_not_allowed("GET"),
    }
}
