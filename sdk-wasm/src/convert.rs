//! Values across the boundary.

#[cfg(feature = "resolver")]
use crate::error::invalid_argument;
use wasm_bindgen::JsValue;

/// A copy of a value by way of JSON: what comes out has no getters, whose exceptions nobody here would catch.
pub(crate) fn plain(value: &JsValue) -> Option<JsValue> {
    let json = js_sys::JSON::stringify(value).ok()?;
    js_sys::JSON::parse(&json.as_string()?).ok()
}

/// Reads a structured value. `what` names it in the error, which never shows its content.
#[cfg(feature = "resolver")]
pub(crate) fn read<T: serde::de::DeserializeOwned>(value: &JsValue, what: &str) -> Result<T, JsValue> {
    plain(value)
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
