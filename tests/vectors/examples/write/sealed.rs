//! Sealed messages, altered ones that must not open, and the ids of messages whose id the app chose.

use super::{APP, NOW, SITE, counting, scope};
use sealwire_protocol::{
    AuthorSignature, Certificate, Certified, ChannelAddress, ChannelId, ChannelKey, EncryptionKey, Message,
    Scope, SenderId, Signature, Stamp, UnixMillis, repeatable_ids, seal,
};
use sealwire_vectors::{CertificateCase, IdempotencyCase, SealedCase, from_hex, to_hex};

pub(super) const NAME: &str = "absences";
const OBJECT: &str = r#"{"name":"Anna","until":"2026-12-01"}"#;
/// A public key of ECDSA with P-256. Its private key, in the JWK's member `d`, is
/// `9LpXSxar3Cc6NDG9DhwUwIWDR2AtN7gRIfBJtsJLZ7k`.
pub(super) const SIGNER: &str = "04e08231bb3d00ee2b7ddfd5128f7b00c3d0269c542fed4a6608b06b028de7ac5343fde5a27bcece2f4205a0839ac7b00c39dd20bbcee21f1039a9ac99b2855792";
/// A signature of the signed message below. ECDSA draws a random number, so it is not recomputed.
const SIGNATURE: &str = "84223ac2529675868c596593745023a8880acc8f89148960a378dfbea319c39c39e3ea167f734f430f4d7be831c5f991cad9e7ce82cfc8c1691dc744b178dd17";
/// A public key of a page. Its private key, in the JWK's member `d`, is `Ew3vmMAYieG6yT4sgPDfQ5bwQTD5z-ITTg5qMGudzY4`.
const PAGE: &str = "045f8168caf631c1a4fb850051b0a95916b49c86582f1c1a4d721afd4d3f2f7ed4f1deba3db34b16af9b733d38d281aaac94237b6f770d61674b2274a0f5029b65";
pub(super) const ACCOUNT: &str = "712020:6fb5a3b0-1f3c-4d2e-9a51-0c5d1e7a9b42";
/// The time at which the certificate of the page expires, in Unix milliseconds.
const EXPIRES_AT: u64 = (NOW + 900) * 1000;
/// The signer's signature of the page's certificate.
const CERTIFICATE_SIGNATURE: &str = "60def656e42e4f3330b41c71f373ac000e8d37d114261ec8b2f4bbad6972cc940afaddc629baebb0d8ffe0e2ef6e1703b9897dc48a5f8a51fbdfb65d5dd452e8";
/// The page's signature of the signed message below.
const PAGE_SIGNATURE: &str = "2297b4228a826e60f78770b3e5e9b267dd6ed35559f23679429c7736f4ce511eeeb05fee8a296dd542bfb4f715325f024e502cc314c36621abc81ea36cf7e270";
/// The stamp of the first message of a sender.
const FIRST: Stamp = Stamp { number: 1, confirmed: 0 };

pub(super) fn dashboard() -> (Scope, ChannelId, ChannelKey) {
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
    signature: Option<AuthorSignature>,
    change: impl Fn(&mut Vec<u8>),
) -> SealedCase {
    let (scope, id, key) = dashboard();
    let (sender, published_at) = (SenderId(counting(50)), UnixMillis(NOW * 1000 + 123));
    let message = Message { sender, stamp, published_at, event, payload, signature: signature.as_ref() };
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
        certificate: signature
            .as_ref()
            .and_then(|signature| signature.certificate.as_ref())
            .map(certificate_case),
        signer: signature.as_ref().map(|_| SIGNER.into()),
        signature: signature.map(|signature| to_hex(&signature.signature.0)),
        sealed: to_hex(&bytes),
    }
}

pub(super) fn signature(hex: &str) -> Signature {
    let bytes = from_hex(hex).expect("it is hexadecimal");
    Signature(bytes.try_into().expect("it has 64 bytes"))
}

pub(super) fn certificate() -> Certificate {
    let public_key = from_hex(PAGE).expect("it is hexadecimal");
    let public_key = &public_key.try_into().expect("it has 65 bytes");
    Certified { public_key, expires_at: UnixMillis(EXPIRES_AT), account: ACCOUNT }
        .sign(signature(CERTIFICATE_SIGNATURE))
}

pub(super) fn certificate_case(certificate: &Certificate) -> CertificateCase {
    CertificateCase {
        public_key: to_hex(certificate.public_key()),
        expires_at_ms: certificate.expires_at().0,
        account: certificate.account().into(),
        signature: to_hex(&certificate.signature().0),
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
    let of_function = AuthorSignature::from(signature(SIGNATURE));
    let signed = |what, change: &dyn Fn(&mut Vec<u8>)| {
        case_with(what, FIRST, "added", OBJECT, Some(of_function.clone()), |bytes| change(bytes))
    };
    let of_page = AuthorSignature { certificate: Some(certificate()), signature: signature(PAGE_SIGNATURE) };
    let certified = |what, change: &dyn Fn(&mut Vec<u8>)| {
        case_with(what, FIRST, "added", OBJECT, Some(of_page.clone()), |bytes| change(bytes))
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
        certified("a message of a page with a certificate", &|_| ()),
        certified("an altered certificate", &|bytes| bytes[150] ^= 1),
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
