//! Fuzz targets of the messages between the relays of a cluster.

use crate::{APP, keyring};
use sealwire_relay::{SigningKeys, fuzzing};
use std::sync::LazyLock;

static KEYS: LazyLock<SigningKeys> = LazyLock::new(|| SigningKeys::new(keyring().clone()));

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
