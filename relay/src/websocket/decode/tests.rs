use super::*;
use proptest::prelude::*;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A masked frame with its length in the shortest form.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..=125 => frame.push(0x80 | u8::try_from(len).unwrap()),
        len @ 126..=65_535 => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            frame.push(0x80 | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// Decodes `bytes` that arrive in pieces of these sizes. Returns everything but fragments.
fn decode(bytes: &[u8], mut pieces: impl Iterator<Item = usize>) -> Result<Vec<Incoming>, Violation> {
    let (mut decoder, mut rest, mut incoming) = (Decoder::default(), bytes, Vec::new());
    while !rest.is_empty() {
        let space = decoder.space();
        let len =
            pieces.next().unwrap_or(usize::MAX).clamp(1, rest.len()).min(space.capacity() - space.len());
        space.extend_from_slice(&rest[..len]);
        rest = &rest[len..];
        while let Some(next) = decoder.decode()? {
            if !matches!(next, Incoming::Fragment(_)) {
                incoming.push(next);
            }
        }
    }
    let holds_no_empty_buffer = |input: &Input| input.unread.capacity() == 0 || !input.unread.is_empty();
    assert!(decoder.input.as_deref().is_none_or(holds_no_empty_buffer) || !incoming.is_empty());
    Ok(incoming)
}

fn whole(bytes: &[u8]) -> Result<Vec<Incoming>, Violation> {
    decode(bytes, std::iter::empty())
}

fn message(payload: &[u8]) -> Incoming {
    Incoming::Message(Bytes::copy_from_slice(payload))
}

#[test]
fn the_masked_example_of_rfc_6455_is_decoded() {
    // The example of RFC 6455 section 5.7, as a binary message instead of a text message.
    let bytes = [0x82, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(whole(&bytes), Ok(vec![message(b"Hello")]));
}

#[test]
fn control_frames_may_come_between_the_fragments_of_a_message() {
    let bytes = [
        frame(0x02, b"Hel"),
        frame(0x89, b"are you there"),
        frame(0x00, b""),
        frame(0x8a, b""),
        frame(0x80, b"lo"),
        frame(0x88, b"\x03\xe8bye"),
    ]
    .concat();
    let ping = Incoming::Ping(Bytes::from_static(b"are you there"));
    assert_eq!(whole(&bytes), Ok(vec![ping, Incoming::Pong, message(b"Hello"), Incoming::Close]));
}

#[test]
fn frames_that_violate_rfc_6455_are_refused() {
    let protocol = |bytes: &[u8]| assert!(matches!(whole(bytes), Err(Violation::Protocol(_))), "{bytes:x?}");
    protocol(&[0x82, 0x05, b'H', b'e', b'l', b'l', b'o']);
    for first in [0xc2, 0xa2, 0x92, 0x83, 0x87, 0x8b, 0x8f, 0x80, 0x00, 0x09, 0x08, 0x0a] {
        protocol(&frame(first, b""));
    }
    protocol(&frame(0x89, &[0; 126]));
    protocol(&frame(0x88, &[3]));
    protocol(&[frame(0x02, b"a"), frame(0x82, b"b")].concat());
    protocol(&[0x82, 0xfe, 0, 125, 0, 0, 0, 0]);
    protocol(&[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0]);
}

#[test]
fn a_close_frame_is_empty_or_has_a_valid_code_and_a_reason_in_utf_8() {
    let close = |code: u16, reason: &[u8]| whole(&frame(0x88, &[&code.to_be_bytes(), reason].concat()));
    assert_eq!(whole(&frame(0x88, b"")), Ok(vec![Incoming::Close]));
    for code in [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4401, 4999] {
        assert_eq!(close(code, "schön".as_bytes()), Ok(vec![Incoming::Close]), "{code}");
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2999, 5000, 65_535] {
        assert!(matches!(close(code, b""), Err(Violation::Protocol(_))), "{code}");
    }
    assert!(matches!(close(1000, b"sch\xf6n"), Err(Violation::Protocol(_))));
}

#[test]
fn a_text_frame_is_refused_by_its_header() {
    assert_eq!(whole(&frame(0x81, b"hello")[..2]), Err(Violation::Text));
    assert_eq!(whole(&frame(0x01, b"hello")), Err(Violation::Text));
}

#[test]
fn a_message_beyond_the_limit_is_refused_by_its_header_and_takes_no_memory() {
    let largest = vec![7; limits::MAX_FRAME];
    assert_eq!(whole(&frame(0x82, &largest)), Ok(vec![message(&largest)]));
    let over = frame(0x82, &vec![7; limits::MAX_FRAME + 1]);
    assert_eq!(whole(&over[..14]), Err(Violation::TooLarge));
    let endless = [0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(whole(&endless), Err(Violation::TooLarge));
    // The limit applies to the sum of fragments.
    let half = vec![7; limits::MAX_FRAME / 2 + 1];
    assert_eq!(
        whole(&[frame(0x02, &half), frame(0x00, &half)[..14].to_vec()].concat()),
        Err(Violation::TooLarge)
    );

    let mut decoder = Decoder::default();
    decoder.space().extend_from_slice(&frame(0x82, &largest)[..20]);
    assert!(decoder.space().capacity() <= 2 * MAX_READ_SPACE);
}

#[test]
fn before_a_session_is_open_messages_are_limited_to_the_length_of_hello() {
    let largest = frame(0x82, &vec![7; limits::MAX_FIRST_FRAME]);
    let over = frame(0x82, &vec![7; limits::MAX_FIRST_FRAME + 1]);
    let mut decoder = Decoder::new(&largest);
    assert!(matches!(decoder.decode(), Ok(Some(Incoming::Message(_)))));
    assert_eq!(Decoder::new(&over[..14]).decode(), Err(Violation::TooLarge));
    let pieces = [frame(0x02, &vec![7; limits::MAX_FIRST_FRAME]), frame(0x80, b"x")].concat();
    let mut decoder = Decoder::new(&pieces);
    assert!(matches!(decoder.decode(), Ok(Some(Incoming::Fragment(_)))));
    assert_eq!(decoder.decode(), Err(Violation::TooLarge));
    let mut decoder = Decoder::new(&over);
    decoder.session_opened();
    assert!(matches!(decoder.decode(), Ok(Some(Incoming::Message(_)))));
}

#[test]
fn the_decoder_holds_no_memory_between_messages() {
    let mut decoder = Decoder::default();
    decoder.space().extend_from_slice(&frame(0x82, b"hello"));
    assert!(decoder.decode().unwrap().is_some());
    assert!(decoder.decode().unwrap().is_none());
    assert!(decoder.input.is_none());
}

proptest! {
    #[test]
    fn messages_are_decoded_unchanged_for_any_fragments_and_pieces(
        messages in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..400), 1..5_usize), 1..8),
        pieces in prop::collection::vec(1..300_usize, 0..40),
    ) {
        let mut bytes = Vec::new();
        for (message, fragments) in &messages {
            let size = message.len().div_ceil(*fragments).max(1);
            let parts: Vec<&[u8]> = if message.is_empty() { vec![&[]] } else { message.chunks(size).collect() };
            for (index, part) in parts.iter().enumerate() {
                let opcode = if index == 0 { 0x02 } else { 0x00 };
                let last = if index == parts.len() - 1 { 0x80 } else { 0x00 };
                bytes.extend(frame(last | opcode, part));
            }
        }
        let expected: Vec<_> = messages.iter().map(|(payload, _)| message(payload)).collect();
        prop_assert_eq!(decode(&bytes, pieces.into_iter()), Ok(expected));
    }

    #[test]
    fn mangled_bytes_never_panic(
        payload in prop::collection::vec(any::<u8>(), 0..200),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
        pieces in prop::collection::vec(1..50_usize, 0..20),
    ) {
        let mut bytes = [frame(0x02, &payload), frame(0x89, b"x"), frame(0x80, &payload), frame(0x82, b"")].concat();
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        bytes.truncate(cut.index(bytes.len() + 1));
        let _ = decode(&bytes, pieces.into_iter());
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = whole(&bytes);
    }
}
