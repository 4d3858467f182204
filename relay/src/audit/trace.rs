//! Names by which an operator follows one request or one connection through the logs.

use crate::session_id::SessionId;
use std::{fmt, net::IpAddr};
use warp::http::{HeaderMap, HeaderName, HeaderValue};

/// Where a request's id stands, also in its answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken over from a proxy.
const MAX_REQUEST_ID: usize = 64;

/// Names an HTTP request: the id that a proxy of ours gave it, or a random one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// Gives a request its id, which from here on stands in its headers. What a client sent is not believed.
    pub(crate) fn assign(headers: &mut HeaderMap, from_proxy: bool) -> Self {
        let given = headers.remove(REQUEST_ID).filter(|id| from_proxy && is_plain(id));
        let id = given.unwrap_or_else(random);
        headers.insert(REQUEST_ID, id.clone());
        Self(id)
    }

    /// The id that was assigned.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self(headers.get(REQUEST_ID).filter(|id| is_plain(id)).cloned().unwrap_or_else(random))
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// What a log can hold as it is.
fn is_plain(id: &HeaderValue) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    (1..=MAX_REQUEST_ID).contains(&id.len()) && id.as_bytes().iter().all(plain)
}

fn random() -> HeaderValue {
    let mut bytes = [0; 8];
    // Without randomness, requests cannot be told apart, and are answered all the same.
    let _ = getrandom::fill(&mut bytes);
    HeaderValue::from_str(&format!("{:016x}", u64::from_be_bytes(bytes)))
        .expect("hexadecimal digits are fit for a header")
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

/// The target of what happens to requests and connections, at the level `debug`.
pub(crate) const ACCESS: &str = "access";

/// A request became a connection: from here on its lines bear the connection's number.
pub(crate) fn connected(id: SessionId, remote: IpAddr, request: &RequestId) {
    tracing::debug!(target: ACCESS, trace = %Trace::Connection(id), %request, %remote, "connected");
}

/// A connection has ended.
pub(crate) fn disconnected(id: SessionId) {
    tracing::debug!(target: ACCESS, trace = %Trace::Connection(id), "disconnected");
}

/// Something that goes through the relay.
#[derive(Clone, Debug)]
pub(crate) enum Trace {
    Request(RequestId),
    Connection(SessionId),
}

/// As logs name it: a bare id of a request, `c` and a number for a connection.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(id) => id.fmt(f),
            Self::Connection(SessionId(number)) => write!(f, "c{number}"),
        }
    }
}

/// Where an attempt came from.
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
    fn only_a_proxys_id_is_taken_over_and_only_a_plain_one() {
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
