//! The decision whether an operation is recorded, and the trace that it belongs to.

use super::recorder::Recorder;
use crate::trace_context::TraceContext;
use warp::http::{HeaderMap, HeaderName};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The trace that an operation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// None. The operation begins a trace as often as `trace_ratio` says.
    Own,
    /// The trace of this span. Its decision is followed.
    Parent(TraceContext),
    /// A request that began no trace.
    Unrecorded,
}

impl Origin {
    /// Returns the origin of a request with these headers. A header that is invalid or given twice is ignored, as the
    /// standard asks for.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return Self::Own };
        value.to_str().ok().and_then(TraceContext::from_traceparent).map_or(Self::Own, Self::Parent)
    }
}

/// A span that is to be recorded: its parent, or `None` for the first span of a trace.
pub(super) struct Recorded(pub(super) Option<TraceContext>);

impl Recorder {
    /// Decides whether an operation is recorded.
    pub(super) fn decide(&self, origin: Origin) -> Option<Recorded> {
        match origin {
            Origin::Own => self.begins_trace().then_some(Recorded(None)),
            Origin::Parent(parent) => parent.is_sampled().then_some(Recorded(Some(parent))),
            Origin::Unrecorded => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use warp::http::HeaderValue;

    #[test]
    fn a_request_belongs_to_the_trace_of_its_only_valid_traceparent() {
        const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let parent = Origin::Parent(TraceContext::from_traceparent(VALID).unwrap());
        for (values, expected) in [
            (&[][..], Origin::Own),
            (&[VALID], parent),
            (&[VALID, VALID], Origin::Own),
            (&["nonsense"], Origin::Own),
            (&["\u{e9}"], Origin::Own),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(TRACEPARENT, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            assert_eq!(Origin::of(&headers), expected, "{values:?}");
        }
    }
}
