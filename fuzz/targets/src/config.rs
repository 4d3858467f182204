use crate::SIGNING_KEY;
use sealwire_relay::{Listen, fuzzing};

/// A configuration file: the text comes after a good app, whose key must show in no error.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Files that the text names would be read.
    if text.contains("file") || text.contains("tls_") {
        return;
    }
    for text in
        [format!("{text}\n[[app]]\nid = \"app\"\nsigning_keys = [\"{SIGNING_KEY}\"]\n"), text.to_owned()]
    {
        match fuzzing::config(&text) {
            Ok(config) => {
                assert!(config.settings.replay_window.as_secs() <= 120, "a longer replay than promised");
                let is_local = match config.settings.listen {
                    Listen::Tcp(address) => address.ip().is_loopback(),
                    _ => true,
                };
                assert!(is_local || config.settings.proxy_terminates_tls, "plain text to other machines");
            }
            Err(error) => {
                let said = format!("{error} {error:?}");
                let (_, secret) = SIGNING_KEY.split_once('.').unwrap_or_default();
                assert!(!said.contains(secret), "a signing key is shown");
                assert!(!said.is_empty(), "an error says what is wrong");
            }
        }
    }
}
