//! Fuzz targets of the messages between the relays of a cluster.

use crate::{APP, keyring};
use sealwire_relay::{SigningKeys, fuzzing};
use std::sync::{Arc, LazyLock};

static KEYS: LazyLock<Arc<SigningKeys>> = LazyLock::new(|| Arc::new(SigningKeys::new(keyring().clone())));

/// Reads a report. What was read encodes to bytes that are read as the same.
pub fn relay_report(data: &[u8]) {
    let Some(encoded) = fuzzing::relay_report(data) else { return };
    assert_eq!(fuzzing::relay_report(&encoded), Some(encoded));
}

/// Reads a revocation, and the input as a record that the app's key signed.
pub fn shared_revocation(data: &[u8]) {
    for message in [data, &fuzzing::tag_revocation(&KEYS, APP, data)] {
        let Some(encoded) = fuzzing::shared_revocation(&KEYS, message) else { continue };
        assert!(encoded.len() <= 2048, "the revocation is longer than the limit");
        assert_eq!(fuzzing::shared_revocation(&KEYS, &encoded), Some(encoded));
    }
}

/// Reads a message about presence, and gives the parts of the input, each with its length in two bytes before it, to a relay as
/// messages of two other relays.
pub fn presence_link(data: &[u8]) {
    if let Some(encoded) = fuzzing::presence_message(&KEYS, data) {
        assert_eq!(fuzzing::presence_message(&KEYS, &encoded), Some(encoded));
    }
    let (mut messages, mut rest) = (Vec::new(), data);
    while let Some((length, after)) = rest.split_at_checked(2)
        && messages.len() < 16
    {
        let length = usize::from(u16::from_be_bytes([length[0], length[1]])).min(after.len());
        let (message, next) = after.split_at(length);
        messages.push(message);
        rest = next;
    }
    fuzzing::presence_links(&KEYS, APP, &messages);
}
