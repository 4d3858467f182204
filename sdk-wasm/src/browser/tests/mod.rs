//! Tests of the browser client through its JavaScript interface, on a page and a relay that the tests simulate.
#![allow(clippy::unwrap_used, reason = "clippy does not recognise wasm_bindgen_test as a test")]

mod arguments;
mod callbacks;
mod connection;
mod host_decryption;
mod outputs;
mod page;
mod presence;
mod publication;
mod session;
mod subscription;
