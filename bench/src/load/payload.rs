//! The payload of a message: filler, then the number of the message within its channel in 16 hexadecimal digits. It is
//! text, since one of the peers carries only text.

pub(crate) const DIGITS: usize = 16;

/// Writes the payload of message `sequence`, `size` bytes long, into `payload`.
pub(crate) fn fill(payload: &mut Vec<u8>, size: usize, sequence: u64) {
    payload.resize(size, b'.');
    let start = size - DIGITS;
    for (index, digit) in payload[start..].iter_mut().enumerate() {
        let nibble = (sequence >> (60 - 4 * index)) as u8 & 0xf;
        *digit = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    }
}

/// Returns the number at the end of `payload`.
pub(crate) fn sequence(payload: &[u8]) -> Option<u64> {
    let digits = payload.last_chunk::<DIGITS>()?;
    digits.iter().try_fold(0, |sequence, digit| {
        let nibble = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(sequence << 4 | u64::from(nibble))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_message_is_read_from_the_end_of_its_payload() {
        let mut payload = Vec::new();
        for number in [0, 1, 0xdead_beef, u64::MAX] {
            fill(&mut payload, 128, number);
            assert_eq!((payload.len(), sequence(&payload)), (128, Some(number)));
        }
        assert_eq!(sequence(b"short"), None);
        assert_eq!(sequence(&[b'x'; 16]), None);
    }
}
