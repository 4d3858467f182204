//! The Sealwire core as JavaScript sees it. Converts and nothing else: the rules are in `client` and `protocol`, the
//! idiomatic API in `js`.
//!
//! Times cross as numbers and offsets as strings, since the plain JavaScript build has no 64-bit integers at its boundary.

#[cfg(feature = "browser")]
mod browser;
#[cfg(any(feature = "browser", feature = "resolver"))]
mod convert;
#[cfg(any(feature = "browser", feature = "resolver"))]
mod error;
#[cfg(feature = "resolver")]
mod resolver;

#[cfg(feature = "browser")]
pub use browser::Client;
#[cfg(feature = "resolver")]
pub use resolver::{
    mint_backend_token, mint_session, new_installation_secret, rotate, seal, sign_channel_token,
};

use wasm_bindgen::prelude::wasm_bindgen;

/// The version of the core.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
