//! Fuzz target of the PROXY protocol reader.

use sealwire_relay::fuzzing;

/// Reads the PROXY header that a TCP proxy sends before the bytes of the client.
pub fn proxy_header(data: &[u8]) {
    let Some((_, rest)) = fuzzing::proxy_header(data) else { return };
    assert!(data.ends_with(rest) && rest.len() < data.len(), "the rest must be the end of the input");
    let header = &data[..data.len() - rest.len()];
    assert!(header.len() <= 16 + 2048, "the header is longer than the limit");
    // The bytes after the header do not change its result.
    assert_eq!(
        fuzzing::proxy_header(header).map(|(client, _)| client),
        fuzzing::proxy_header(data).map(|(client, _)| client)
    );
}
