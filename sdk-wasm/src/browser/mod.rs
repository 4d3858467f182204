//! The client for pages.

mod arguments;
mod callbacks;
mod client;
mod clock;
mod outputs;
mod shell;
mod socket;

pub use client::Client;

#[cfg(all(test, target_arch = "wasm32"))]
mod tests;
