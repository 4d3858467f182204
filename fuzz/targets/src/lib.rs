//! What the fuzzer feeds: one function for each door through which outside input comes in. Each takes any bytes, must not
//! panic, and asserts what holds for every input. Run by the fuzzer (`cargo xtask fuzz`) and, with the kept corpus, by
//! the tests of this crate.

mod config;
mod proxy_header;
mod publish_body;
mod send_body;
mod token;
mod websocket;
mod wire;

pub use config::config;
pub use proxy_header::proxy_header;
pub use publish_body::publish_body;
pub use send_body::send_body;
pub use token::token;
pub use websocket::websocket;
pub use wire::{wire_to_client, wire_to_relay};

/// A target by the name that its program and its folder of the corpus have.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 8] = [
    ("config", config),
    ("proxy_header", proxy_header),
    ("publish_body", publish_body),
    ("send_body", send_body),
    ("token", token),
    ("websocket", websocket),
    ("wire_to_client", wire_to_client),
    ("wire_to_relay", wire_to_relay),
];

/// The app whose signing key the targets know.
pub const APP: &str = "app";
/// Its signing key.
pub const SIGNING_KEY: &str =
    "kid.AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ";
/// The moment at which tokens are verified, in seconds since 1970.
pub const NOW: u64 = 1_800_000_000;

/// The keyring of a relay that serves [`APP`].
fn keyring() -> &'static sealwire_protocol::tokens::Keyring {
    use sealwire_protocol::tokens::{Keyring, SigningKey};
    static KEYRING: std::sync::LazyLock<Keyring> = std::sync::LazyLock::new(|| {
        let mut keyring = Keyring::default();
        let key = SigningKey::parse(SIGNING_KEY).expect("the key above is well-formed");
        keyring.insert(APP, key).expect("it is the only one");
        keyring
    });
    &KEYRING
}
