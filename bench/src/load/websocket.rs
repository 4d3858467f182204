//! WebSocket framing (RFC 6455) for the load generator and for the bare limits: reading without copies, writing masked
//! and unmasked frames.

pub(crate) const BINARY: u8 = 0x2;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;

const MASK: [u8; 4] = [0x5a, 0x11, 0xc3, 0x78];

/// A frame at the start of some bytes.
pub(crate) struct Frame<'a> {
    pub(crate) opcode: u8,
    pub(crate) payload: &'a [u8],
    /// The length of the frame in bytes, header included.
    pub(crate) size: usize,
}

/// Reads the first frame of `bytes`. Returns `None` until the frame is complete.
pub(crate) fn read(bytes: &[u8]) -> Option<Frame<'_>> {
    let &[first, second, ..] = bytes else { return None };
    let (start, len): (usize, usize) = match second & 0x7f {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    let payload = bytes.get(start..start.checked_add(len)?)?;
    Some(Frame { opcode: first & 0x0f, payload, size: start + len })
}

/// Appends a masked frame.
pub(crate) fn write(out: &mut Vec<u8>, opcode: u8, payload: &[&[u8]]) {
    let len: usize = payload.iter().map(|part| part.len()).sum();
    header(out, opcode, len, 0x80);
    out.extend_from_slice(&MASK);
    let start = out.len();
    payload.iter().for_each(|part| out.extend_from_slice(part));
    for (index, byte) in out[start..].iter_mut().enumerate() {
        *byte ^= MASK[index % 4];
    }
}

/// Appends an unmasked frame, as a server does.
pub(crate) fn write_unmasked(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    header(out, opcode, payload.len(), 0);
    out.extend_from_slice(payload);
}

fn header(out: &mut Vec<u8>, opcode: u8, len: usize, masked: u8) {
    out.push(0x80 | opcode);
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short @ 0..=125), _) => out.push(masked | short),
        (_, Ok(medium)) => {
            out.push(masked | 126);
            out.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            out.push(masked | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

/// Unmasks the first frame of `bytes` in place. Returns its opcode and the range of its payload, whose end is also that
/// of the frame, or `None` until the frame is complete.
pub(crate) fn read_masked(bytes: &mut [u8]) -> Option<(u8, std::ops::Range<usize>)> {
    let &[first, second, ..] = &*bytes else { return None };
    let (start, len): (usize, usize) = match second & 0x7f {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    let mask: [u8; 4] = bytes.get(start..start + 4)?.try_into().ok()?;
    let range = start + 4..(start + 4).checked_add(len)?;
    for (index, byte) in bytes.get_mut(range.clone())?.iter_mut().enumerate() {
        *byte ^= mask[index % 4];
    }
    Some((first & 0x0f, range))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_every_length_form_round_trip() {
        for len in [0, 125, 126, 65_535, 65_536] {
            let payload = vec![7; len];
            let mut masked = Vec::new();
            write(&mut masked, BINARY, &[&payload[..len / 2], &payload[len / 2..]]);
            assert!(read_masked(&mut masked.clone()[..masked.len() - 1]).is_none());
            let (opcode, range) = read_masked(&mut masked).unwrap();
            assert_eq!((opcode, range.end), (BINARY, masked.len()));
            assert_eq!(masked[range], payload);
            let mut plain = Vec::new();
            write_unmasked(&mut plain, TEXT, &payload);
            let frame = read(&plain).unwrap();
            assert_eq!((frame.opcode, frame.payload, frame.size), (TEXT, &payload[..], plain.len()));
        }
    }
}
