//! The fuzz targets: one function for each reader of external input. A target takes arbitrary bytes, must not panic,
//! and asserts the invariants that hold for every input. The fuzzer runs the targets (`cargo xtask fuzz`), and the
//! tests of this crate run them on the corpus.

mod cluster;
mod config;
mod proxy_header;
mod publish_body;
mod send_body;
mod token;
mod websocket;
mod wire;

pub use cluster::{presence_link, relay_report, shared_revocation};
pub use config::config;
pub use proxy_header::proxy_header;
pub use publish_body::publish_body;
pub use send_body::send_body;
pub use token::token;
pub use websocket::websocket;
pub use wire::{wire_to_client, wire_to_relay};

/// A target and its name, which is also the name of its program and of its folder in the corpus.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 11] = [
    ("config", config),
    ("presence_link", presence_link),
    ("proxy_header", proxy_header),
    ("publish_body", publish_body),
    ("relay_report", relay_report),
    ("send_body", send_body),
    ("shared_revocation", shared_revocation),
    ("token", token),
    ("websocket", websocket),
    ("wire_to_client", wire_to_client),
    ("wire_to_relay", wire_to_relay),
];

/// The app of [`SIGNING_KEY`].
pub const APP: &str = "app";
/// The only signing key of the keyring.
pub const SIGNING_KEY: &str =
    "kid.AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ";
/// The time at which tokens are verified, in seconds since 1970.
pub const NOW: u64 = 1_800_000_000;

/// Returns the keyring of a relay that serves [`APP`].
fn keyring() -> &'static sealwire_protocol::tokens::Keyring {
    use sealwire_protocol::tokens::{Keyring, SigningKey};
    static KEYRING: std::sync::LazyLock<Keyring> = std::sync::LazyLock::new(|| {
        let mut keyring = Keyring::default();
        let key = SigningKey::parse(SIGNING_KEY).expect("SIGNING_KEY is well-formed");
        keyring.insert(APP, key).expect("the keyring has no other key");
        keyring
    });
    &KEYRING
}
