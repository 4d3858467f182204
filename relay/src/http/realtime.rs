//! `GET /v1/realtime`: upgrades an HTTP request to a WebSocket.

use super::{admission, request::ClientRequest, response::HttpError};
use crate::{
    audit::trace::RequestId,
    connection::{self, NewConnection, Socket},
    websocket::{self, AcceptedHandshake, HandshakeError},
};
use hyper::upgrade::OnUpgrade;
use warp::{
    http::{Method, StatusCode, header},
    reply::Response,
};

pub(super) fn realtime(request: &ClientRequest, upgrade: Option<OnUpgrade>) -> Response {
    match open(request, upgrade) {
        Ok(response) => response,
        Err(error) => {
            request.audit_refusal("connect", error.code(), None);
            admission::refuse_session(error)
        }
    }
}

fn open(request: &ClientRequest, upgrade: Option<OnUpgrade>) -> Result<Response, HttpError> {
    let ClientRequest { context, method, headers, remote, .. } = request;
    if *method != Method::GET {
        return Err(HttpError::method_not_allowed("GET"));
    }
    let AcceptedHandshake { response, takes_batches } = websocket::accept(headers)?;
    let upgrade = upgrade.ok_or_else(|| {
        HttpError::new(StatusCode::UPGRADE_REQUIRED, "a WebSocket handshake must use HTTP/1.1")
            .with_header(header::UPGRADE, "websocket")
    })?;
    let permits = request.acquire_session_permits()?;
    let (connection, tasks) = (context.connection.clone(), context.tasks.clone());
    let (remote, request) = (*remote, RequestId::of(headers));
    context.tasks.spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        // The connection uses the socket directly, without a boxed stream or a buffer in between.
        let Some((socket, unread)) = Socket::from_upgraded(upgraded) else {
            tracing::error!("an upgraded connection has a type that no listener of the relay creates");
            return;
        };
        let opened = NewConnection { socket, unread, takes_batches, remote, request, permits };
        // A separate task, which holds no memory of the handshake.
        tasks.spawn(connection::run(connection, opened));
    });
    Ok(response.map(|()| Vec::new().into()))
}

impl From<HandshakeError> for HttpError {
    fn from(error: HandshakeError) -> Self {
        let upgrade_required = || Self::new(StatusCode::UPGRADE_REQUIRED, error.to_string());
        match error {
            HandshakeError::NotAnUpgrade => upgrade_required().with_header(header::UPGRADE, "websocket"),
            HandshakeError::Version => upgrade_required().with_header(header::SEC_WEBSOCKET_VERSION, "13"),
            _ => Self::new(StatusCode::BAD_REQUEST, error.to_string()),
        }
    }
}
