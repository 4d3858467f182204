//! sealwire-sdk-wasm.
