//! Conversion of values between JavaScript and Rust.

#[cfg(feature = "resolver")]
use crate::error::invalid_argument;
use wasm_bindgen::JsValue;

/// Copies a value by way of JSON. The copy has no getters, whose exceptions this crate could not catch.
pub(crate) fn plain(value: &JsValue) -> Option<JsValue> {
    let json = js_sys::JSON::stringify(value).ok()?;
    js_sys::JSON::parse(&json.as_string()?).ok()
}

/// Reads a structured value. `what` names the value in the error, which never contains the value itself.
#[cfg(feature = "resolver")]
pub(crate) fn read<T: serde::de::DeserializeOwned>(value: &JsValue, what: &str) -> Result<T, JsValue> {
    plain(value)
        .and_then(|plain| serde_wasm_bindgen::from_value(plain).ok())
        .ok_or_else(|| invalid_argument(&[what, " has a missing or mistyped property"].concat()))
}

/// Converts a structured value to a plain JavaScript object.
#[cfg(feature = "resolver")]
pub(crate) fn write(value: &impl serde::Serialize) -> Result<JsValue, JsValue> {
    let plain = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&plain).map_err(|_| invalid_argument("the result cannot be converted to a plain object"))
}

/// Converts a JavaScript number of seconds or milliseconds. Fractions are cut off; NaN and negative numbers become 0.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, as intended")]
pub(crate) fn whole(number: f64) -> u64 {
    number as u64
}

/// Converts a time to a JavaScript number. The conversion is exact for all times up to 2^53 milliseconds.
#[cfg(feature = "browser")]
#[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 are exact for 285,000 years")]
pub(crate) fn number(value: u64) -> f64 {
    value as f64
}
