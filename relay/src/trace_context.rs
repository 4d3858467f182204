//! The trace context of W3C (<https://www.w3.org/TR/trace-context-1/>): the trace and the span to which an operation
//! belongs. It travels in the header `traceparent` of HTTP requests and of messages between relays.

use crate::hex::decode as hex;
use std::fmt;

/// The length of a `traceparent` of version 00.
const LEN: usize = 55;
/// The longest accepted `traceparent` of a later version.
const MAX_LEN: usize = 256;
const SAMPLED: u8 = 1;

/// A span of a trace, as another process refers to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    is_sampled: bool,
}

impl TraceContext {
    /// Creates the context of a span. Returns `None` if an id is all zeros, which the standard forbids.
    #[must_use]
    pub fn new(trace_id: [u8; 16], span_id: [u8; 8], is_sampled: bool) -> Option<Self> {
        let is_valid = trace_id != [0; 16] && span_id != [0; 8];
        is_valid.then_some(Self { trace_id, span_id, is_sampled })
    }

    /// Reads a `traceparent`. Anything that the standard does not allow gives `None`: the trace then ends here. Of a later
    /// version, the fields of version 00 are read, as the standard asks for.
    #[must_use]
    pub fn from_traceparent(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let [version] = hex(bytes.get(..2)?)?;
        let has_length = match version {
            0 => bytes.len() == LEN,
            0xff => false,
            _ => bytes.len() == LEN || (bytes.len() <= MAX_LEN && bytes.get(LEN) == Some(&b'-')),
        };
        let has_dashes = [2, 35, 52].iter().all(|position| bytes.get(*position) == Some(&b'-'));
        if !(has_length && has_dashes) {
            return None;
        }
        let [flags] = hex(bytes.get(53..LEN)?)?;
        Self::new(hex(bytes.get(3..35)?)?, hex(bytes.get(36..52)?)?, flags & SAMPLED != 0)
    }

    /// Returns the `traceparent`, of version 00.
    #[must_use]
    pub fn to_traceparent(&self) -> String {
        self.to_string()
    }

    /// Returns the id of the trace.
    #[must_use]
    pub fn trace_id(&self) -> [u8; 16] {
        self.trace_id
    }

    /// Returns the id of the span.
    #[must_use]
    pub fn span_id(&self) -> [u8; 8] {
        self.span_id
    }

    /// Returns whether the trace is recorded.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.is_sampled
    }
}

/// Writes the `traceparent`.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace_id, span_id) = (u128::from_be_bytes(self.trace_id), u64::from_be_bytes(self.span_id));
        write!(f, "00-{trace_id:032x}-{span_id:016x}-{:02x}", u8::from(self.is_sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_example_of_the_standard_is_read_and_written() {
        let context = TraceContext::from_traceparent(EXAMPLE).unwrap();
        assert_eq!(context.trace_id()[..2], [0x4b, 0xf9]);
        assert_eq!(context.span_id(), [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
        assert!(context.is_sampled());
        assert_eq!(context.to_traceparent(), EXAMPLE);
    }

    #[test]
    fn flags_other_than_sampled_are_dropped() {
        for (flags, is_sampled) in [("00", false), ("01", true), ("02", false), ("03", true), ("ff", true)] {
            let text = format!("{}{flags}", &EXAMPLE[..53]);
            assert_eq!(TraceContext::from_traceparent(&text).unwrap().is_sampled(), is_sampled, "{flags}");
        }
    }

    #[test]
    fn a_later_version_is_read_like_version_00() {
        for (version, rest, is_read) in [
            ("01", "", true),
            ("cc", "-what-follows", true),
            ("01", "what-follows", false),
            ("ff", "", false),
        ] {
            let text = format!("{version}{}{rest}", &EXAMPLE[2..]);
            assert_eq!(TraceContext::from_traceparent(&text).is_some(), is_read, "{text}");
        }
        let long = format!("01{}-{}", &EXAMPLE[2..], "a".repeat(MAX_LEN));
        assert_eq!(TraceContext::from_traceparent(&long), None);
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "00",
            "00-",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 ",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
            "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47é-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::from_traceparent(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_written_context_is_read_back(trace_id: [u8; 16], span_id: [u8; 8], is_sampled: bool) {
            if let Some(context) = TraceContext::new(trace_id, span_id, is_sampled) {
                prop_assert_eq!(TraceContext::from_traceparent(&context.to_traceparent()), Some(context));
            }
        }

        #[test]
        fn no_text_panics_and_a_text_that_is_read_is_written_alike(text in "\\PC{0,80}|[0-9a-f-]{50,60}") {
            if let Some(context) = TraceContext::from_traceparent(&text) {
                prop_assert_eq!(&context.to_traceparent()[3..53], &text[3..53]);
            }
        }
    }
}
