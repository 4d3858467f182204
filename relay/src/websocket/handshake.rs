//! The opening handshake (RFC 6455 section 4.2): checks the request and builds the response.

use headers::{Connection, HeaderMapExt as _, SecWebsocketAccept, SecWebsocketKey, Upgrade};
use sealwire_protocol::wire::{BATCHED_SUBPROTOCOL, SUBPROTOCOL};
use warp::http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{self, HeaderName},
};

/// The error of a request that cannot become a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum HandshakeError {
    /// `Connection: Upgrade` or `Upgrade: websocket` is missing.
    #[error("this endpoint accepts only WebSockets; check that no proxy in front drops the Upgrade header")]
    NotAnUpgrade,
    /// The version is not 13.
    #[error("the WebSocket version must be 13")]
    Version,
    /// `Sec-WebSocket-Key` is missing or malformed.
    #[error("the header Sec-WebSocket-Key is missing or is not 16 bytes in base64")]
    Key,
    /// The client does not offer the subprotocol.
    #[error("the WebSocket must offer the subprotocol {SUBPROTOCOL}")]
    Subprotocol,
}

/// The result of a handshake.
#[derive(Debug)]
pub(crate) struct AcceptedHandshake {
    /// The response that switches the connection to WebSocket.
    pub(crate) response: Response<()>,
    /// True if the client accepts batches: several protocol messages in one WebSocket message.
    pub(crate) takes_batches: bool,
}

/// Checks the headers of a request.
///
/// # Errors
/// [`HandshakeError`].
pub(crate) fn accept(headers: &HeaderMap) -> Result<AcceptedHandshake, HandshakeError> {
    let is_upgrade =
        headers.typed_get::<Connection>().is_some_and(|connection| connection.contains("upgrade"));
    let to_websocket = listed(headers, &header::UPGRADE).any(|token| token.eq_ignore_ascii_case("websocket"));
    if !is_upgrade || !to_websocket {
        return Err(HandshakeError::NotAnUpgrade);
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(HandshakeError::Version);
    }
    let has_key = headers.get(header::SEC_WEBSOCKET_KEY).is_some_and(is_key);
    let key = headers.typed_get::<SecWebsocketKey>().filter(|_| has_key).ok_or(HandshakeError::Key)?;
    let offers = |name| listed(headers, &header::SEC_WEBSOCKET_PROTOCOL).any(|token| token == name);
    let takes_batches = offers(BATCHED_SUBPROTOCOL);
    if !takes_batches && !offers(SUBPROTOCOL) {
        return Err(HandshakeError::Subprotocol);
    }
    let subprotocol = if takes_batches { BATCHED_SUBPROTOCOL } else { SUBPROTOCOL };
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let response_headers = response.headers_mut();
    response_headers.typed_insert(Connection::upgrade());
    response_headers.typed_insert(Upgrade::websocket());
    response_headers.typed_insert(SecWebsocketAccept::from(key));
    response_headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol));
    Ok(AcceptedHandshake { response, takes_batches })
}

/// True for 16 bytes in base64.
fn is_key(key: &HeaderValue) -> bool {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16)
}

/// The tokens of a list header, over all its lines.
fn listed<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6455 section 1.2.
    fn example() -> HeaderMap {
        [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-protocol", "chat, sealwire.v1"),
        ]
        .into_iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
    }

    #[test]
    fn the_example_of_rfc_6455_is_accepted() {
        let AcceptedHandshake { response, takes_batches } = accept(&example()).unwrap();
        assert_eq!(response.status(), 101);
        assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(response.headers()["sec-websocket-protocol"], "sealwire.v1");
        assert!(!takes_batches);
    }

    #[test]
    fn a_client_that_offers_batches_gets_the_batched_subprotocol() {
        for offered in
            ["sealwire.v1.batched", "sealwire.v1.batched, sealwire.v1", "sealwire.v1, sealwire.v1.batched"]
        {
            let mut headers = example();
            headers.insert("sec-websocket-protocol", HeaderValue::from_static(offered));
            let AcceptedHandshake { response, takes_batches } = accept(&headers).unwrap();
            assert_eq!(response.headers()["sec-websocket-protocol"], "sealwire.v1.batched");
            assert!(takes_batches);
        }
    }

    #[test]
    fn an_incomplete_request_is_refused_with_the_missing_part() {
        for (name, value, error) in [
            ("connection", "close", HandshakeError::NotAnUpgrade),
            ("upgrade", "h2c", HandshakeError::NotAnUpgrade),
            ("sec-websocket-version", "8", HandshakeError::Version),
            ("sec-websocket-key", "c2hvcnQ=", HandshakeError::Key),
            ("sec-websocket-key", "no base64", HandshakeError::Key),
            ("sec-websocket-protocol", "sealwire.v2", HandshakeError::Subprotocol),
        ] {
            let mut headers = example();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(accept(&headers).err(), Some(error));
            headers.remove(name);
            assert_eq!(accept(&headers).err(), Some(error));
        }
    }
}
