//! What a client sends in one request: a line with the stream and the number of the first message, then a line of base64
//! for each message.

use super::StreamId;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use sealwire_protocol::limits;

/// Longest body, in bytes: the longest message fits, past which its connection refuses it as it refuses a frame.
pub(crate) const MAX_BATCH_BODY: usize = 2 * limits::MAX_FRAME;
/// Most messages of one body: each takes more of the relay's memory than of the body.
pub(crate) const MAX_BATCH_MESSAGES: usize = 1000;
/// Longest first line: an id and a number.
const MAX_HEAD: usize = 64;
/// Digits of the largest number; more would be zeros before it.
const MAX_DIGITS: usize = 20;

pub(crate) struct Batch {
    pub(crate) stream: StreamId,
    /// The number of the first message; a stream's messages are counted from 0.
    pub(crate) first: u64,
    pub(crate) messages: Vec<Bytes>,
}

/// What is wrong with a body. Quotes nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BatchError {
    #[error("the first line must be '<stream> <number of the first message>'")]
    Head,
    #[error("each line after the first must be one message in standard base64 with padding")]
    Message,
    #[error("a request has at most {MAX_BATCH_MESSAGES} messages; send the rest in the next one")]
    TooMany,
}

impl Batch {
    /// The stream that a body is for, as soon as its first line is there.
    ///
    /// # Errors
    /// [`BatchError::Head`].
    pub(crate) fn stream(body: &[u8]) -> Result<Option<StreamId>, BatchError> {
        match body.iter().take(MAX_HEAD).position(|byte| *byte == b'\n') {
            Some(end) => Self::head(&body[..end]).map(|(stream, _)| Some(stream)),
            None if body.len() < MAX_HEAD => Ok(None),
            None => Err(BatchError::Head),
        }
    }

    /// A whole body.
    ///
    /// # Errors
    /// [`BatchError`].
    pub(crate) fn parse(body: &[u8]) -> Result<Self, BatchError> {
        let mut lines = body.strip_suffix(b"\n").unwrap_or(body).split(|byte| *byte == b'\n');
        let (stream, first) = Self::head(lines.next().unwrap_or_default())?;
        if lines.clone().nth(MAX_BATCH_MESSAGES).is_some() {
            return Err(BatchError::TooMany);
        }
        let messages = lines.map(|line| STANDARD.decode(line).map(Bytes::from));
        let messages = messages.collect::<Result<Vec<_>, _>>().map_err(|_| BatchError::Message)?;
        Ok(Self { stream, first, messages })
    }

    fn head(line: &[u8]) -> Result<(StreamId, u64), BatchError> {
        let parse = || {
            let (stream, first) = std::str::from_utf8(line).ok()?.split_once(' ')?;
            let digits = first.len() <= MAX_DIGITS && first.bytes().all(|byte| byte.is_ascii_digit());
            Some((StreamId::parse(stream)?, first.parse().ok().filter(|_| digits)?))
        };
        parse().ok_or(BatchError::Head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "AAECAwQFBgcICQoLDA0ODw";

    fn parse(body: &str) -> Result<(u64, Vec<Bytes>), BatchError> {
        Batch::parse(body.as_bytes()).map(|batch| (batch.first, batch.messages))
    }

    #[test]
    fn a_body_holds_a_stream_a_number_and_messages() {
        let messages = vec![Bytes::from_static(b"a"), Bytes::from_static(&[0x52, 0])];
        for end in ["", "\n"] {
            assert_eq!(parse(&format!("{ID} 7\nYQ==\nUgA={end}")), Ok((7, messages.clone())));
            assert_eq!(parse(&format!("{ID} {}{end}", u64::MAX)), Ok((u64::MAX, vec![])));
        }
    }

    #[test]
    fn a_body_with_anything_else_is_refused() {
        for head in ["", ID, "AAEC 0", "AAECAwQFBgcICQoLDA0ODw== 0"] {
            assert_eq!(parse(head), Err(BatchError::Head), "{head}");
        }
        let zeros = "0".repeat(MAX_HEAD);
        for number in ["", "-1", "+1", "1.0", "0x1", " 1", "1 ", "18446744073709551616", &zeros] {
            assert_eq!(parse(&format!("{ID} {number}\nYQ==")), Err(BatchError::Head), "{number}");
        }
        for message in ["YQ", "YQ=", "Y Q=", "YQ==\r", "%", "YQ==YQ=="] {
            assert_eq!(parse(&format!("{ID} 0\nYQ==\n{message}")), Err(BatchError::Message), "{message}");
        }
    }

    #[test]
    fn a_body_has_so_many_messages() {
        let body = |messages: usize| format!("{ID} 0{}", "\nUgA=".repeat(messages));
        assert_eq!(
            parse(&body(MAX_BATCH_MESSAGES)).map(|(_, messages)| messages.len()),
            Ok(MAX_BATCH_MESSAGES)
        );
        assert_eq!(parse(&body(MAX_BATCH_MESSAGES + 1)), Err(BatchError::TooMany));
        assert_eq!(parse(&format!("{ID} 0{}", "\n".repeat(MAX_BATCH_BODY - 30))), Err(BatchError::TooMany));
    }

    #[test]
    fn the_stream_is_known_with_the_first_line() {
        let whole = format!("{ID} 12\nYQ==");
        for len in 0..whole.len() {
            let stream = Batch::stream(&whole.as_bytes()[..len]).unwrap();
            assert_eq!(stream.is_some(), len > ID.len() + 3, "{len}");
        }
        assert!(Batch::stream(&[b'A'; MAX_HEAD]).is_err());
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body: Vec<u8>) {
            let _ = (Batch::parse(&body), Batch::stream(&body));
        }
    }
}
