//! The JavaScript interface of the Sealwire core. This crate only converts values: the rules are in `client` and
//! `protocol`, and the API for apps is in `js`.
//!
//! Times cross the boundary as numbers and offsets as strings, since the plain JavaScript build has no 64-bit integers
//! there.

#[cfg(feature = "browser")]
mod browser;
#[cfg(any(feature = "browser", feature = "resolver"))]
mod convert;
#[cfg(any(feature = "browser", feature = "resolver"))]
mod error;
#[cfg(any(feature = "browser", feature = "resolver"))]
mod fields;
#[cfg(feature = "resolver")]
mod resolver;

#[cfg(feature = "browser")]
pub use browser::Client;
#[cfg(feature = "resolver")]
pub use resolver::{
    mint_backend_token, mint_session, name_of, new_installation_secret, rotate, seal, settle,
    sign_channel_token, tag_values,
};

use wasm_bindgen::prelude::wasm_bindgen;

/// std's allocator for WebAssembly is three times as large.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Returns the version of the core.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
