//! Sealed messages, and altered ones that must not open.

use super::{APP, NOW, SITE, counting, scope};
use sealwire_protocol::{ChannelAddress, EncryptionKey, UnixMillis, seal};
use sealwire_vectors::{SealedCase, to_hex};

pub(super) fn sealed() -> Vec<SealedCase> {
    let (scope, name) = (scope(&[("dashboard", "10001")]), "absences");
    let id = ChannelAddress { app: APP, installation: SITE, scope: &scope, claims_tag: None, name }.id();
    let key = EncryptionKey::new(counting(0)).scope_key(APP, SITE, &scope).channel_key(None, name);
    let case = |what: &str, event: &str, payload: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = seal(&key, counting(50), id, event, UnixMillis(NOW * 1000 + 123), payload)
            .expect("the payloads below are short");
        let genuine = bytes.clone();
        change(&mut bytes);
        SealedCase {
            what: what.into(),
            encryption_key: to_hex(&counting::<32>(0)),
            app: APP.into(),
            installation: SITE.into(),
            scope: scope.clone(),
            name: name.into(),
            event: event.into(),
            nonce: to_hex(&counting::<24>(50)),
            published_at_ms: NOW * 1000 + 123,
            payload: (bytes == genuine).then(|| payload.into()),
            sealed: to_hex(&bytes),
        }
    };
    let object = r#"{"name":"Anna","until":"2026-12-01"}"#;
    vec![
        case("an object", "added", object, &|_| ()),
        case("a text without event", "", r#""Grüezi 👋""#, &|_| ()),
        case("the shortest payload", "", "0", &|_| ()),
        case("a kilobyte", "", &format!("\"{}\"", "x".repeat(1022)), &|_| ()),
        case("an altered ciphertext", "added", object, &|bytes| bytes[30] ^= 1),
        case("an altered tag", "added", object, &|bytes| *bytes.last_mut().expect("it has a tag") ^= 0x80),
        case("an altered nonce", "added", object, &|bytes| bytes[5] ^= 1),
        case("another key id", "added", object, &|bytes| bytes[1] ^= 1),
        case("another version", "added", object, &|bytes| bytes[0] = 2),
        case("a message cut short", "added", object, &|bytes| bytes.truncate(bytes.len() - 1)),
    ]
}
