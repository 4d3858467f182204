//! Fuzz target of the configuration parser.

use crate::SIGNING_KEY;
use sealwire_relay::{Listen, fuzzing};

/// Reads a configuration file, alone and followed by a valid app, whose key must not appear in any error.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // The parser would read files that the text names.
    if text.contains("file") || text.contains("tls_") {
        return;
    }
    for text in
        [format!("{text}\n[[app]]\nid = \"app\"\nsigning_keys = [\"{SIGNING_KEY}\"]\n"), text.to_owned()]
    {
        match fuzzing::config(&text) {
            Ok(config) => {
                assert!(
                    config.settings.replay_window.as_secs() <= 120,
                    "the replay window is longer than the maximum"
                );
                let is_local = match config.settings.listen {
                    Listen::Tcp(address) => address.ip().is_loopback(),
                    _ => true,
                };
                assert!(
                    is_local || config.settings.proxy_terminates_tls,
                    "the relay would serve other machines in plain text"
                );
            }
            Err(error) => {
                let shown = format!("{error} {error:?}");
                let (_, secret) = SIGNING_KEY.split_once('.').unwrap_or_default();
                assert!(!shown.contains(secret), "the error contains the signing key");
                assert!(!shown.is_empty(), "the error has no text");
            }
        }
    }
}
