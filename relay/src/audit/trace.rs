//! Trace ids, with which an operator follows one request or one connection through the logs.

use crate::session_id::SessionId;
use std::{fmt, net::IpAddr};
use warp::http::{HeaderMap, HeaderName, HeaderValue};

/// The header with a request's id, in the request and in its response.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is accepted from a proxy, in bytes.
const MAX_REQUEST_ID: usize = 64;

/// The id of an HTTP request: the one from a trusted proxy, or a random one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// Assigns a request its id and writes it into its headers. An id from a client is replaced.
    pub(crate) fn assign(headers: &mut HeaderMap, from_proxy: bool) -> Self {
        let given = headers.remove(REQUEST_ID).filter(|id| from_proxy && is_plain(id));
        let id = given.unwrap_or_else(random);
        headers.insert(REQUEST_ID, id.clone());
        Self(id)
    }

    /// Returns the id that was assigned to the request with these headers.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self(headers.get(REQUEST_ID).filter(|id| is_plain(id)).cloned().unwrap_or_else(random))
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// True if a log line can contain the id without escaping.
fn is_plain(id: &HeaderValue) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    (1..=MAX_REQUEST_ID).contains(&id.len()) && id.as_bytes().iter().all(plain)
}

fn random() -> HeaderValue {
    let mut bytes = [0; 8];
    // If the system returns no random bytes, requests share an id, and are still answered.
    let _ = getrandom::fill(&mut bytes);
    HeaderValue::from_str(&format!("{:016x}", u64::from_be_bytes(bytes)))
        .expect("hexadecimal digits are fit for a header")
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

/// The tracing target of the access log, at level `debug`.
pub(crate) const ACCESS: &str = "access";

/// Logs that a request became a connection, whose number the later lines carry.
pub(crate) fn connected(id: SessionId, remote: IpAddr, request: &RequestId) {
    tracing::debug!(target: ACCESS, trace = %Trace::Connection(id), %request, %remote, "connected");
}

/// Logs that a connection ended.
pub(crate) fn disconnected(id: SessionId) {
    tracing::debug!(target: ACCESS, trace = %Trace::Connection(id), "disconnected");
}

/// The request or connection that a log line is about.
#[derive(Clone, Debug)]
pub(crate) enum Trace {
    Request(RequestId),
    Connection(SessionId),
}

/// Writes the id of a request, or `c` and the number of a connection.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(id) => id.fmt(f),
            Self::Connection(SessionId(number)) => write!(f, "c{number}"),
        }
    }
}

/// The source of an attempt: an address, and the request or connection.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) remote: IpAddr,
    pub(crate) trace: Trace,
}

impl Source {
    pub(crate) fn request(remote: IpAddr, headers: &HeaderMap) -> Self {
        Self { remote, trace: Trace::Request(RequestId::of(headers)) }
    }

    pub(crate) fn connection(remote: IpAddr, id: SessionId) -> Self {
        Self { remote, trace: Trace::Connection(id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_accepted_only_from_a_proxy_and_only_if_it_is_plain() {
        for (given, from_proxy, kept) in [
            ("edge-7.a_B", true, true),
            ("edge-7", false, false),
            ("two words", true, false),
            ("a\"b", true, false),
            ("", true, false),
            (&*"a".repeat(65), true, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(given).unwrap());
            let id = RequestId::assign(&mut headers, from_proxy);
            assert_eq!(id.to_string() == given, kept, "{given}");
            assert_eq!(RequestId::of(&headers), id);
            assert!(kept || id.to_string().len() == 16);
        }
    }
}
