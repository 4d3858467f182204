//! The client for pages, as a JavaScript class around the sans-I/O client of the crate `client`.

mod arguments;
mod callbacks;
mod client;
mod clock;
mod host;
mod outputs;
mod shell;
mod socket;

pub use client::Client;

#[cfg(all(test, target_arch = "wasm32"))]
mod tests;
