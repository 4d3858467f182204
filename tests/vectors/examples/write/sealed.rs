//! Sealed messages, altered ones that must not open, and the ids of messages whose id the app chose.

use super::{APP, NOW, SITE, counting, scope};
use sealwire_protocol::{
    ChannelAddress, ChannelId, ChannelKey, EncryptionKey, Message, Scope, SenderId, Signature, Stamp,
    UnixMillis, repeatable_ids, seal,
};
use sealwire_vectors::{IdempotencyCase, SealedCase, from_hex, to_hex};

const NAME: &str = "absences";
const OBJECT: &str = r#"{"name":"Anna","until":"2026-12-01"}"#;
/// The stamp of the first message of a sender.
/// A public key of ECDSA with P-256. Its private key, in the JWK's member `d`, is
/// `9LpXSxar3Cc6NDG9DhwUwIWDR2AtN7gRIfBJtsJLZ7k`.
const SIGNER: &str = "04e08231bb3d00ee2b7ddfd5128f7b00c3d0269c542fed4a6608b06b028de7ac5343fde5a27bcece2f4205a0839ac7b00c39dd20bbcee21f1039a9ac99b2855792";
/// A signature of the signed message below. ECDSA draws a random number, so it is not recomputed.
const SIGNATURE: &str = "84223ac2529675868c596593745023a8880acc8f89148960a378dfbea319c39c39e3ea167f734f430f4d7be831c5f991cad9e7ce82cfc8c1691dc744b178dd17";
const FIRST: Stamp = Stamp { number: 1, confirmed: 0 };

fn dashboard() -> (Scope, ChannelId, ChannelKey) {
    let scope = scope(&[("dashboard", "10001")]);
    let address =
        ChannelAddress { app: APP, installation: SITE, scope: &scope, claims_tag: None, name: NAME };
    let id = address.id();
    let key = EncryptionKey::new(counting(0)).scope_key(APP, SITE, &scope).channel_key(None, NAME);
    (scope, id, key)
}

fn case(what: &str, stamp: Stamp, event: &str, payload: &str, change: impl Fn(&mut Vec<u8>)) -> SealedCase {
    case_with(what, stamp, event, payload, None, change)
}

fn case_with(
    what: &str,
    stamp: Stamp,
    event: &str,
    payload: &str,
    signature: Option<Signature>,
    change: impl Fn(&mut Vec<u8>),
) -> SealedCase {
    let (scope, id, key) = dashboard();
    let (sender, published_at) = (SenderId(counting(50)), UnixMillis(NOW * 1000 + 123));
    let message = Message { sender, stamp, published_at, event, payload, signature };
    let mut bytes = seal(&key, counting(62), id, &message).expect("the payloads below are short");
    let genuine = bytes.clone();
    change(&mut bytes);
    SealedCase {
        what: what.into(),
        encryption_key: to_hex(&counting::<32>(0)),
        app: APP.into(),
        installation: SITE.into(),
        scope,
        name: NAME.into(),
        event: event.into(),
        sender: to_hex(&sender.0),
        random: to_hex(&counting::<12>(62)),
        number: stamp.number,
        confirmed: to_hex(&stamp.confirmed.to_be_bytes()),
        published_at_ms: published_at.0,
        payload: (bytes == genuine).then(|| payload.into()),
        signature: signature.map(|signature| to_hex(&signature.0)),
        signer: signature.map(|_| SIGNER.into()),
        sealed: to_hex(&bytes),
    }
}

pub(super) fn sealed() -> Vec<SealedCase> {
    let opens = |what, event, payload: &str| case(what, FIRST, event, payload, |_| ());
    let stamped = |what, stamp| case(what, stamp, "added", OBJECT, |_| ());
    let altered =
        |what, change: &dyn Fn(&mut Vec<u8>)| case(what, FIRST, "added", OBJECT, |bytes| change(bytes));
    let under_way = Stamp { number: 7, confirmed: 0b10_1100 };
    let last = Stamp { number: 1 << 24, confirmed: 1 << 63 };
    let all_confirmed = Stamp { number: 1000, confirmed: u64::MAX };
    let signature = from_hex(SIGNATURE).expect("it is hexadecimal");
    let signature = Signature(signature.try_into().expect("it has 64 bytes"));
    let signed = |what, change: &dyn Fn(&mut Vec<u8>)| {
        case_with(what, FIRST, "added", OBJECT, Some(signature), |bytes| change(bytes))
    };
    vec![
        opens("an object", "added", OBJECT),
        opens("a text without event", "", r#""Grüezi 👋""#),
        opens("the shortest payload", "", "0"),
        opens("a kilobyte", "", &format!("\"{}\"", "x".repeat(1022))),
        stamped("the seventh message, of which two are under way and one was refused", under_way),
        stamped("a message whose 64 predecessors were acknowledged", all_confirmed),
        stamped("the last message of a sender, far behind the only one that it confirms", last),
        signed("a message of a function", &|_| ()),
        signed("an altered signature", &|bytes| bytes[100] ^= 1),
        altered("an altered ciphertext", &|bytes| bytes[30] ^= 1),
        altered("an altered tag", &|bytes| *bytes.last_mut().expect("it has a tag") ^= 0x80),
        altered("another sender", &|bytes| bytes[5] ^= 1),
        altered("an altered random half of the nonce", &|bytes| bytes[17] ^= 1),
        altered("another key id", &|bytes| bytes[1] ^= 1),
        altered("another version", &|bytes| bytes[0] = 2),
        altered("a message cut short", &|bytes| bytes.truncate(bytes.len() - 1)),
    ]
}

pub(super) fn idempotency() -> Vec<IdempotencyCase> {
    let (scope, _, key) = dashboard();
    let case = |what: &str, publisher: &str, app_id: &str, event: &str, payload: &str| {
        let ids = repeatable_ids(&key, publisher, app_id, event, payload);
        IdempotencyCase {
            what: what.into(),
            encryption_key: to_hex(&counting::<32>(0)),
            app: APP.into(),
            installation: SITE.into(),
            scope: scope.clone(),
            name: NAME.into(),
            publisher: publisher.into(),
            app_id: app_id.into(),
            event: event.into(),
            payload: payload.into(),
            id: to_hex(&ids.id),
            content: to_hex(&ids.content),
        }
    };
    vec![
        case("a message of a page", "712020:abc", "absence-7", "added", OBJECT),
        case("another payload has the same id and another content", "712020:abc", "absence-7", "added", "0"),
        case("another event has the same id and another content", "712020:abc", "absence-7", "", OBJECT),
        case("a message of a resolver", "\0resolver", "absence-7", "added", OBJECT),
    ]
}
