//! Sealed entries of a presence, and altered ones that must not open.

use super::{
    APP, NOW, SITE, counting,
    sealed::{ACCOUNT, NAME, SIGNER, certificate, certificate_case, dashboard, signature},
};
use sealwire_protocol::{AuthorSignature, Entry, EntryPlace, UnixMillis};
use sealwire_vectors::{EntryCase, to_hex};

/// The page's signature of the signed entry below.
const SIGNATURE: &str = "f9d2154d239486bc70923c0274d844166be14f3433a69b2a9b060e7efd13d82b36452574256656b3cc587cbc07f4a71fd8cfbd7116e1e67e878bed3f72a31824";
const DATA: &str = r#"{"name":"Anna","typing":true}"#;

fn case(what: &str, account: &str, data: &str, is_signed: bool, change: impl Fn(&mut Vec<u8>)) -> EntryCase {
    let (scope, channel, key) = dashboard();
    let number = NOW * 1000 + 123;
    let place = EntryPlace { channel, member: counting(80), number };
    let of_page = AuthorSignature { certificate: Some(certificate()), signature: signature(SIGNATURE) };
    let entry = Entry {
        sealed_at: UnixMillis(number),
        entered_at: UnixMillis(NOW * 1000),
        account: account.into(),
        data: data.into(),
        signature: is_signed.then_some(of_page),
    };
    let mut bytes = place.seal(&key, counting(100), &entry);
    let genuine = bytes.clone();
    change(&mut bytes);
    EntryCase {
        what: what.into(),
        encryption_key: to_hex(&counting::<32>(0)),
        app: APP.into(),
        installation: SITE.into(),
        scope,
        name: NAME.into(),
        member: to_hex(&place.member),
        number,
        nonce: to_hex(&counting::<24>(100)),
        sealed_at_ms: entry.sealed_at.0,
        entered_at_ms: entry.entered_at.0,
        account: account.into(),
        data: (bytes == genuine).then(|| data.into()),
        signature: is_signed.then(|| SIGNATURE.into()),
        signer: is_signed.then(|| SIGNER.into()),
        certificate: is_signed.then(|| certificate_case(&certificate())),
        sealed: to_hex(&bytes),
    }
}

pub(super) fn entries() -> Vec<EntryCase> {
    vec![
        case("an unsigned entry", ACCOUNT, DATA, false, |_| ()),
        case("an entry without an account and data", "", "null", false, |_| ()),
        case("an entry that its page signs", ACCOUNT, DATA, true, |_| ()),
        case("an altered ciphertext", ACCOUNT, DATA, false, |bytes| bytes[30] ^= 1),
        case("an altered account of a signed entry", ACCOUNT, DATA, true, |bytes| bytes[50] ^= 1),
        case("an altered certificate", ACCOUNT, DATA, true, |bytes| bytes[200] ^= 1),
        case("an altered tag", ACCOUNT, DATA, true, |bytes| *bytes.last_mut().expect("it has a tag") ^= 0x80),
    ]
}
