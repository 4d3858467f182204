//! Values across the boundary.

use crate::error::invalid_argument;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

/// Reads a structured value. `what` names it in the error, which never shows its content.
pub(crate) fn read<T: DeserializeOwned>(value: &JsValue, what: &str) -> Result<T, JsValue> {
    // Through JSON first: what comes out of it has no getters, whose exceptions nobody here would catch.
    let plain = js_sys::JSON::stringify(value).and_then(|json| match json.as_string() {
        Some(json) => js_sys::JSON::parse(&json),
        None => Ok(JsValue::UNDEFINED),
    });
    plain
        .ok()
        .and_then(|plain| serde_wasm_bindgen::from_value(plain).ok())
        .ok_or_else(|| invalid_argument(&[what, " has a wrong shape"].concat()))
}

/// Writes a structured value as a plain object.
#[cfg(feature = "resolver")]
pub(crate) fn write(value: &impl serde::Serialize) -> Result<JsValue, JsValue> {
    let plain = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&plain).map_err(|_| invalid_argument("the result is no plain object"))
}

/// A JavaScript number of seconds or milliseconds; what is no such number counts as 0.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, which is what is wanted"
)]
pub(crate) fn whole(number: f64) -> u64 {
    number as u64
}

/// Exact for every time that comes up.
#[cfg(feature = "browser")]
#[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit for 285 000 years")]
pub(crate) fn number(value: u64) -> f64 {
    value as f64
}
