use sealwire_relay::fuzzing;

/// The header that a TCP proxy puts before everything else.
pub fn proxy_header(data: &[u8]) {
    let Some((_, rest)) = fuzzing::proxy_header(data) else { return };
    assert!(data.ends_with(rest) && rest.len() < data.len(), "what follows belongs to the client");
    let header = &data[..data.len() - rest.len()];
    assert!(header.len() <= 16 + 2048, "a header past the limit");
    // What follows changes nothing.
    assert_eq!(
        fuzzing::proxy_header(header).map(|(client, _)| client),
        fuzzing::proxy_header(data).map(|(client, _)| client)
    );
}
