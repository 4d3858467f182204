//! Reads the memory of a relay while a message is in its replay cache: it holds neither the plaintext nor any key that
//! opens the message.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use sealwire_protocol::{EncryptionKey, Message, Scope, SenderId, Stamp, UnixMillis, seal, wire::ToClient};
use sealwire_tests::{Installation, RelayProcess, WireClient};
use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    os::unix::fs::FileExt as _,
};

/// Returns every readable byte of the process, region by region.
fn memory_of(process: u32) -> Vec<Vec<u8>> {
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let maps = BufReader::new(File::open(format!("/proc/{process}/maps")).unwrap());
    let mut regions = vec![];
    for line in maps.lines().map_while(Result::ok) {
        let mut fields = line.split_whitespace();
        let (Some(range), Some(rights)) = (fields.next(), fields.next()) else { continue };
        let bounds = range.split_once('-').unwrap();
        let [start, end] = [bounds.0, bounds.1].map(|hex| u64::from_str_radix(hex, 16).unwrap());
        if !rights.starts_with('r') || line.contains("[vv") {
            continue;
        }
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        if let Ok(read) = memory.read_at(&mut bytes, start) {
            bytes.truncate(read);
            regions.push(bytes);
        }
    }
    regions
}

fn holds(memory: &[Vec<u8>], wanted: &[u8]) -> bool {
    memory.iter().any(|region| memchr::memmem::find(region, wanted).is_some())
}

#[test]
fn neither_payload_nor_key_is_in_the_relays_memory() {
    let installation = Installation::new("memory");
    let relay = RelayProcess::start(&[&installation], "");
    let mut scope = Scope::default();
    scope.insert("dashboard", "10001").unwrap();
    let token = installation.session("account", &scope, 60);
    let (mut subscriber, _) = WireClient::open(relay.port, &token);
    assert!(matches!(subscriber.subscribe("absences", &scope, None), Some(ToClient::Subscribed(_))));

    let payload = r#"{"name":"Anna Example","reason":"a reason that nobody else may read"}"#;
    let key = installation.channel_key(&scope, "absences");
    let channel_id = installation.channel_id(&scope, "absences");
    let stamp = Stamp { number: 1, confirmed: 0 };
    let message = Message {
        sender: SenderId([7; 12]),
        stamp,
        published_at: UnixMillis(1),
        event: "",
        payload,
        signature: None,
    };
    let sealed = seal(&key, [7; 12], channel_id, &message).unwrap();
    let (mut publisher, _) = WireClient::open(relay.port, &token);
    publisher.publish("absences", &scope, sealed.clone());
    assert!(matches!(publisher.receive(), Some(ToClient::Published(_))));
    let Some(ToClient::Publication(publication)) = subscriber.receive() else {
        panic!("the subscriber received no publication")
    };
    assert_eq!(publication.sealed, sealed);

    let memory = memory_of(relay.id());
    // These two prove that the search works: the cache holds the sealed message, and the relay verifies tokens with the
    // signing secret.
    assert!(holds(&memory, &sealed));
    let secret = installation.signing_key.split_once('.').unwrap().1;
    assert!(holds(&memory, &sealwire_protocol::decode_base64url(secret).unwrap()));

    for part in [payload, "Anna Example", "nobody else may read"] {
        assert!(!holds(&memory, part.as_bytes()), "the relay holds plaintext");
    }
    let scope_keys = EncryptionKey::new(installation.encryption_key).scope_keys(
        &installation.app,
        &installation.id,
        &scope,
    );
    let mut keys = vec![&installation.encryption_key[..], key.as_bytes()];
    keys.extend(scope_keys.iter());
    for key in keys {
        assert!(!holds(&memory, key), "the relay holds a key");
    }
}
