//! The plain objects that the resolver's functions take and return.

use crate::{
    convert::whole,
    error::invalid_argument,
    fields::{each_text, list, optional, plain, property},
};
use sealwire_protocol::tokens::Permission;
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

/// The properties of a context or a scope, in the order of the object.
pub(super) type Properties = Vec<(String, String)>;

/// Reads an object. `what` names it in the error, which never contains a value of the object.
pub(super) fn read<T>(
    value: &JsValue,
    what: &str,
    fields: impl FnOnce(&JsValue) -> Option<T>,
) -> Result<T, JsValue> {
    plain(value)
        .and_then(|plain| fields(&plain))
        .ok_or_else(|| invalid_argument(&[what, " has a missing or mistyped property"].concat()))
}

/// Converts a structured value to a plain object.
pub(super) fn write(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let plain = Serializer::json_compatible();
    value.serialize(&plain).map_err(|_| invalid_argument("the result cannot be converted to a plain object"))
}

pub(super) fn optional_text(object: &JsValue, name: &str) -> Option<Option<String>> {
    optional(object, name, |value| value.as_string())
}

pub(super) fn number(object: &JsValue, name: &str) -> Option<f64> {
    property(object, name).as_f64()
}

/// Reads a whole number that every JavaScript number of its size represents exactly.
pub(super) fn integer(object: &JsValue, name: &str) -> Option<u64> {
    let value = number(object, name)?;
    let is_exact = (0.0..=js_sys::Number::MAX_SAFE_INTEGER).contains(&value) && value.trunc() == value;
    is_exact.then(|| whole(value))
}

pub(super) fn optional_number(object: &JsValue, name: &str) -> Option<Option<f64>> {
    optional(object, name, |value| value.as_f64())
}

/// Reads a flag that is false by default.
pub(super) fn flag(object: &JsValue, name: &str) -> Option<bool> {
    let value = property(object, name);
    if value.is_undefined() { Some(false) } else { value.as_bool() }
}

pub(super) fn properties(object: &JsValue) -> Option<Properties> {
    let mut properties = Properties::new();
    each_text(object, |name, value| {
        properties.push((name, value));
        Some(())
    })?;
    Some(properties)
}

pub(super) fn permission_list(value: JsValue) -> Option<Vec<Permission>> {
    let permission = |value: JsValue| {
        Some(match value.as_string()?.as_str() {
            "subscribe" => Permission::Subscribe,
            "publish" => Permission::Publish,
            "presence" => Permission::Presence,
            _ => return None,
        })
    };
    list(value)?.iter().map(permission).collect()
}
