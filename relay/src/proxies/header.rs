//! The header of the PROXY protocol (versions 1 and 2), in which a TCP proxy states its client's address. The reader stops
//! at the header's last byte, because the bytes after it belong to TLS or HTTP.

use ppp::{v1, v2};
use std::{io, net::IpAddr};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The first bytes of version 2.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The length of the other fixed fields of version 2: version and command, protocol, and the length of the rest.
const FIXED: usize = 4;
/// The longest rest of a version 2 header, in bytes. Addresses take at most 216, extensions the others.
const MAX_REST: usize = 2048;
/// The longest header of version 1, in bytes, with its line end.
const MAX_LINE: usize = 107;

/// Reads a header and returns the client's address. `None` means that the proxy itself is the client, as in its health
/// checks. The caller sets a deadline.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] if the bytes are not a header, and the errors of reading.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<IpAddr>> {
    let mut header = vec![0; SIGNATURE.len()];
    stream.read_exact(&mut header).await?;
    if header == SIGNATURE { read_binary(stream, header).await } else { read_line(stream, header).await }
}

async fn read_binary(
    stream: &mut (impl AsyncRead + Unpin),
    mut header: Vec<u8>,
) -> io::Result<Option<IpAddr>> {
    header.resize(SIGNATURE.len() + FIXED, 0);
    stream.read_exact(&mut header[SIGNATURE.len()..]).await?;
    let rest = usize::from(u16::from_be_bytes([header[14], header[15]]));
    if rest > MAX_REST {
        return Err(malformed("the header is too long"));
    }
    header.resize(header.len() + rest, 0);
    stream.read_exact(&mut header[SIGNATURE.len() + FIXED..]).await?;
    let parsed = v2::Header::try_from(&*header).map_err(malformed)?;
    Ok(match (parsed.command, parsed.addresses) {
        (v2::Command::Proxy, v2::Addresses::IPv4(addresses)) => Some(addresses.source_address.into()),
        (v2::Command::Proxy, v2::Addresses::IPv6(addresses)) => Some(addresses.source_address.into()),
        _ => None,
    })
}

/// Reads version 1 byte by byte, because its length is known only at the end of the line.
async fn read_line(stream: &mut (impl AsyncRead + Unpin), mut header: Vec<u8>) -> io::Result<Option<IpAddr>> {
    if !header.starts_with(b"PROXY ") {
        return Err(malformed("the connection does not begin with a header of the PROXY protocol"));
    }
    while !header.ends_with(b"\r\n") {
        if header.len() >= MAX_LINE {
            return Err(malformed("the header is too long"));
        }
        header.push(stream.read_u8().await?);
    }
    let parsed = v1::Header::try_from(&*header).map_err(malformed)?;
    Ok(match parsed.addresses {
        v1::Addresses::Tcp4(addresses) => Some(addresses.source_address.into()),
        v1::Addresses::Tcp6(addresses) => Some(addresses.source_address.into()),
        v1::Addresses::Unknown => None,
    })
}

fn malformed(error: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The result of reading a header, and the number of bytes left after it.
    async fn read_of(bytes: &[u8]) -> (Result<Option<String>, io::ErrorKind>, usize) {
        let mut stream = bytes;
        let result = read(&mut stream).await;
        let result =
            result.map(|client| client.map(|address| address.to_string())).map_err(|error| error.kind());
        (result, stream.len())
    }

    fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [SIGNATURE, &[command, family][..], &length, rest, b"GET /"].concat()
    }

    #[tokio::test]
    async fn a_header_is_read_to_its_last_byte_and_no_further() {
        let v4 = [203, 0, 113, 9, 10, 0, 0, 1, 0xd4, 0x31, 0x01, 0xbb];
        let v6 = [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[7], &[0; 16], &[0, 1, 0, 2]].concat();
        let extended = [&v4[..], &[0x04, 0, 2, 0, 0]].concat();
        for (bytes, client) in [
            (b"PROXY TCP4 203.0.113.9 10.0.0.1 54321 443\r\nGET /".to_vec(), Some("203.0.113.9")),
            (b"PROXY TCP6 2001:db8::7 2001:db8::1 54321 443\r\nGET /".to_vec(), Some("2001:db8::7")),
            (b"PROXY UNKNOWN\r\nGET /".to_vec(), None),
            (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\nGET /".to_vec(), None),
            (binary(0x21, 0x11, &v4), Some("203.0.113.9")),
            (binary(0x21, 0x11, &extended), Some("203.0.113.9")),
            (binary(0x21, 0x21, &v6), Some("2001:db8::7")),
            (binary(0x20, 0x00, &[]), None),
            (binary(0x20, 0x11, &v4), None),
            (binary(0x21, 0x31, &[0; 216]), None),
        ] {
            assert_eq!(read_of(&bytes).await, (Ok(client.map(Into::into)), 5), "{}", bytes.escape_ascii());
        }
    }

    #[tokio::test]
    async fn bytes_that_are_not_a_header_are_an_error() {
        let long = [b"PROXY TCP4 ".as_slice(), &[b'1'; 200], b"\r\n"].concat();
        let short = binary(0x21, 0x11, &[0; 4]);
        let endless = [SIGNATURE, &[0x21, 0x11, 0xff, 0xff][..], &[0; 70_000]].concat();
        let version = binary(0x31, 0x11, &[0; 12]);
        for bytes in [
            b"GET /v1/realtime HTTP/1.1\r\n\r\n".as_slice(),
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello",
            b"PROXY TCP4 999.0.0.1 10.0.0.1 1 2\r\nGET /",
            b"PROXY TCP4 203.0.113.9\r\nGET /",
            b"PROXY TCP9 203.0.113.9 10.0.0.1 1 2\r\nGET /",
            &long,
            &short,
            &endless,
            &version,
        ] {
            assert_eq!(read_of(bytes).await.0, Err(io::ErrorKind::InvalidData), "{}", bytes.escape_ascii());
        }
        for bytes in
            [b"".as_slice(), b"PROXY", b"PROXY TCP4 203.0.113.9 10.0.0.1", &SIGNATURE[..11], SIGNATURE]
        {
            assert_eq!(read_of(bytes).await.0, Err(io::ErrorKind::UnexpectedEof));
        }
    }
}
