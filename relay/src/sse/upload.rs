//! The body of `POST /v1/send`: a line with the stream and the number of the first message, then one line of base64 per
//! message.

use super::StreamId;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use sealwire_protocol::limits;

/// The maximum length of a body, in bytes. The longest message fits; the connection refuses a longer one like a frame.
pub(crate) const MAX_UPLOAD_BODY: usize = 2 * limits::MAX_FRAME;
/// The maximum number of messages in one body. It bounds memory, because a short message takes more memory than its line.
pub(crate) const MAX_UPLOAD_MESSAGES: usize = 1000;
/// The maximum length of the first line, an id and a number, in bytes.
const MAX_HEAD: usize = 64;
/// The number of digits of the largest message number.
const MAX_DIGITS: usize = 20;

pub(crate) struct Upload {
    pub(crate) stream: StreamId,
    /// The number of the first message. The messages of a stream are numbered from 0.
    pub(crate) first_number: u64,
    pub(crate) messages: Vec<Bytes>,
}

/// The error of a malformed body. It quotes nothing of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UploadError {
    #[error("the first line must be '<stream> <number of the first message>'")]
    Head,
    #[error("each line after the first must be one message in standard base64 with padding")]
    Message,
    #[error("a request may have at most {MAX_UPLOAD_MESSAGES} messages; send the rest in another request")]
    TooMany,
}

impl Upload {
    /// Reads the id of the stream from the start of a body; `None` while the first line is incomplete.
    ///
    /// # Errors
    /// [`UploadError::Head`].
    pub(crate) fn stream_id(body: &[u8]) -> Result<Option<StreamId>, UploadError> {
        match body.iter().take(MAX_HEAD).position(|byte| *byte == b'\n') {
            Some(end) => Self::head(&body[..end]).map(|(stream, _)| Some(stream)),
            None if body.len() < MAX_HEAD => Ok(None),
            None => Err(UploadError::Head),
        }
    }

    /// Parses a whole body.
    ///
    /// # Errors
    /// [`UploadError`].
    pub(crate) fn parse(body: &[u8]) -> Result<Self, UploadError> {
        let mut lines = body.strip_suffix(b"\n").unwrap_or(body).split(|byte| *byte == b'\n');
        let (stream, first_number) = Self::head(lines.next().unwrap_or_default())?;
        if lines.clone().nth(MAX_UPLOAD_MESSAGES).is_some() {
            return Err(UploadError::TooMany);
        }
        let messages = lines.map(|line| STANDARD.decode(line).map(Bytes::from));
        let messages = messages.collect::<Result<Vec<_>, _>>().map_err(|_| UploadError::Message)?;
        Ok(Self { stream, first_number, messages })
    }

    fn head(line: &[u8]) -> Result<(StreamId, u64), UploadError> {
        let parse = || {
            let (stream, number) = std::str::from_utf8(line).ok()?.split_once(' ')?;
            let has_valid_digits =
                number.len() <= MAX_DIGITS && number.bytes().all(|byte| byte.is_ascii_digit());
            Some((StreamId::parse(stream)?, number.parse().ok().filter(|_| has_valid_digits)?))
        };
        parse().ok_or(UploadError::Head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "AAECAwQFBgcICQoLDA0ODw";

    fn parse(body: &str) -> Result<(u64, Vec<Bytes>), UploadError> {
        Upload::parse(body.as_bytes()).map(|upload| (upload.first_number, upload.messages))
    }

    #[test]
    fn a_body_has_a_stream_a_number_and_messages() {
        let messages = vec![Bytes::from_static(b"a"), Bytes::from_static(&[0x52, 0])];
        for end in ["", "\n"] {
            assert_eq!(parse(&format!("{ID} 7\nYQ==\nUgA={end}")), Ok((7, messages.clone())));
            assert_eq!(parse(&format!("{ID} {}{end}", u64::MAX)), Ok((u64::MAX, vec![])));
        }
    }

    #[test]
    fn a_malformed_body_is_refused() {
        for head in ["", ID, "AAEC 0", "AAECAwQFBgcICQoLDA0ODw== 0"] {
            assert_eq!(parse(head), Err(UploadError::Head), "{head}");
        }
        let zeros = "0".repeat(MAX_HEAD);
        for number in ["", "-1", "+1", "1.0", "0x1", " 1", "1 ", "18446744073709551616", &zeros] {
            assert_eq!(parse(&format!("{ID} {number}\nYQ==")), Err(UploadError::Head), "{number}");
        }
        for message in ["YQ", "YQ=", "Y Q=", "YQ==\r", "%", "YQ==YQ=="] {
            assert_eq!(parse(&format!("{ID} 0\nYQ==\n{message}")), Err(UploadError::Message), "{message}");
        }
    }

    #[test]
    fn a_body_with_too_many_messages_is_refused() {
        let body = |messages: usize| format!("{ID} 0{}", "\nUgA=".repeat(messages));
        assert_eq!(
            parse(&body(MAX_UPLOAD_MESSAGES)).map(|(_, messages)| messages.len()),
            Ok(MAX_UPLOAD_MESSAGES)
        );
        assert_eq!(parse(&body(MAX_UPLOAD_MESSAGES + 1)), Err(UploadError::TooMany));
        assert_eq!(parse(&format!("{ID} 0{}", "\n".repeat(MAX_UPLOAD_BODY - 30))), Err(UploadError::TooMany));
    }

    #[test]
    fn the_stream_is_known_after_the_first_line() {
        let whole = format!("{ID} 12\nYQ==");
        for len in 0..whole.len() {
            let stream = Upload::stream_id(&whole.as_bytes()[..len]).unwrap();
            assert_eq!(stream.is_some(), len > ID.len() + 3, "{len}");
        }
        assert!(Upload::stream_id(&[b'A'; MAX_HEAD]).is_err());
    }

    proptest! {
        #[test]
        fn no_body_causes_a_panic(body: Vec<u8>) {
            let _ = (Upload::parse(&body), Upload::stream_id(&body));
        }
    }
}
