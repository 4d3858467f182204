//! `GET /v1/realtime`: from an HTTP request to a connection of its own.

use super::{HttpContext, Peer, admission, response::HttpError};
use crate::{
    audit::trace::{RequestId, Source},
    connection::{self, NewConnection, Socket},
    session::Refusal,
    websocket::{self, Accepted, HandshakeError},
};
use hyper::upgrade::OnUpgrade;
use std::{net::IpAddr, sync::Arc};
use warp::{
    http::{HeaderMap, Method, StatusCode, header},
    reply::Response,
};

pub(super) fn realtime(
    context: &Arc<HttpContext>,
    method: &Method,
    headers: &HeaderMap,
    (peer, remote): (&Peer, IpAddr),
    upgrade: Option<OnUpgrade>,
) -> Response {
    match open(context, method, headers, (peer, remote), upgrade) {
        Ok(response) => response,
        Err(error) => {
            let refusal = Refusal { attempt: "connect", code: error.code(), identity: None };
            context.audit.refused(&refusal, &Source::request(remote, headers));
            admission::turn_away(error)
        }
    }
}

fn open(
    context: &Arc<HttpContext>,
    method: &Method,
    headers: &HeaderMap,
    (peer, remote): (&Peer, IpAddr),
    upgrade: Option<OnUpgrade>,
) -> Result<Response, HttpError> {
    if method != Method::GET {
        return Err(HttpError::method_not_allowed("GET"));
    }
    let Accepted { response, takes_batches } = websocket::accept(headers).map_err(|error| match error {
        HandshakeError::NotAnUpgrade => HttpError::new(StatusCode::UPGRADE_REQUIRED, error.to_string())
            .with_header(header::UPGRADE, "websocket"),
        HandshakeError::Version => HttpError::new(StatusCode::UPGRADE_REQUIRED, error.to_string())
            .with_header(header::SEC_WEBSOCKET_VERSION, "13"),
        _ => HttpError::new(StatusCode::BAD_REQUEST, error.to_string()),
    })?;
    let upgrade = upgrade.ok_or_else(|| {
        HttpError::new(StatusCode::UPGRADE_REQUIRED, "a WebSocket is opened over HTTP/1.1")
            .with_header(header::UPGRADE, "websocket")
    })?;
    let permits = context.enter(peer, remote)?;
    let (connection, tasks) = (context.connection.clone(), context.tasks.clone());
    let request = RequestId::of(headers);
    context.tasks.spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        // The socket itself: no boxed stream and no buffer between it and the frames.
        let Some((socket, unread)) = Socket::from_upgraded(upgraded) else {
            tracing::error!("the connection is of a kind that the relay's own listeners never make");
            return;
        };
        let opened = NewConnection { socket, unread, takes_batches, remote, request, permits };
        // A task of its own, which holds nothing of the handshake.
        tasks.spawn(connection::run(connection, opened));
    });
    Ok(response.map(|()| Vec::new().into()))
}
