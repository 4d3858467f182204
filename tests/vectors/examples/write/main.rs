//! Writes the vector files: `cargo run -p sealwire-vectors --example write`. A changed file means that the protocol has
//! changed.

mod derivations;
mod entries;
mod frames;
mod name_tags;
mod sealed;
mod tokens;

use sealwire_protocol::{Code, Scope};
use sealwire_vectors::{CodeCase, XaesCase, to_hex};

const APP: &str = "team-dashboard";
const SITE: &str = "ari:cloud:jira::site/11111111-2222-3333-4444-555555555555";
/// The time of the vectors, in seconds since 1970.
const NOW: u64 = 1_800_000_000;

fn main() -> std::io::Result<()> {
    write("codes", &codes())?;
    write("xaes-256-gcm", &xaes())?;
    write("channels", &derivations::channels())?;
    write("keys", &derivations::keys())?;
    write("name-tags", &name_tags::name_tags())?;
    write("tokens", &tokens::tokens())?;
    write("sealed", &sealed::sealed())?;
    write("entries", &entries::entries())?;
    write("idempotency", &sealed::idempotency())?;
    write("frames", &frames::frames())?;
    write("batches", &frames::batches())
}

fn write(name: &str, cases: &impl serde::Serialize) -> std::io::Result<()> {
    let text = serde_json::to_string_pretty(cases)? + "\n";
    std::fs::write(format!("{}/{name}.json", env!("CARGO_MANIFEST_DIR")), text)
}

fn scope(pairs: &[(&str, &str)]) -> Scope {
    let mut scope = Scope::default();
    for (property, value) in pairs {
        scope.insert(property, value).expect("the scopes below are within the limits");
    }
    scope
}

/// Returns the bytes `first`, `first + 1`, `first + 2` and so on.
fn counting<const N: usize>(first: u8) -> [u8; N] {
    std::array::from_fn(|index| first.wrapping_add(u8::try_from(index % 256).unwrap_or_default()))
}

fn codes() -> Vec<CodeCase> {
    let case = |code: &Code| CodeCase {
        number: code.number(),
        name: code.name().into(),
        close_code: code.close_code() as u16,
        retry: code.retryable(),
    };
    Code::ALL.iter().map(case).collect()
}

fn xaes() -> Vec<XaesCase> {
    let case = |key: u8, aad: &str, ciphertext_and_tag: &str| XaesCase {
        key: to_hex(&[key; 32]),
        nonce: to_hex(b"ABCDEFGHIJKLMNOPQRSTUVWX"),
        aad: to_hex(aad.as_bytes()),
        plaintext: to_hex(b"XAES-256-GCM"),
        ciphertext_and_tag: ciphertext_and_tag.into(),
    };
    vec![
        case(1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        case(3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
    ]
}
