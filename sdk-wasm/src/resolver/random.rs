//! Randomness from the `crypto.getRandomValues` of the runtime.

use crate::error::with_code;
use sealwire_protocol::Code;
use wasm_bindgen::JsValue;

pub(super) fn bytes<const N: usize>() -> Result<[u8; N], JsValue> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|_| with_code(Code::Unreachable, "this runtime has no crypto.getRandomValues"))?;
    Ok(bytes)
}
