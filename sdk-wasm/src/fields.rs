//! Reads the properties of JavaScript objects. Implementations by serde would make a core a tenth larger.

use js_sys::{Array, JSON, Object, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};

/// Copies a value by way of JSON. The copy has no getters, whose exceptions this crate could not catch.
pub(crate) fn plain(value: &JsValue) -> Option<JsValue> {
    let json = JSON::stringify(value).ok()?;
    JSON::parse(&json.as_string()?).ok()
}

/// Returns a property of an object, or `undefined` if the object does not have it.
pub(crate) fn property(object: &JsValue, name: &str) -> JsValue {
    if object.is_object() {
        Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
    } else {
        JsValue::UNDEFINED
    }
}

pub(crate) fn text(object: &JsValue, name: &str) -> Option<String> {
    property(object, name).as_string()
}

pub(crate) fn list(value: JsValue) -> Option<Array> {
    value.dyn_into().ok()
}

/// Calls `take` with the name and the value of each property. Returns `None` if a value is not a string or `take` does.
pub(crate) fn each_text(object: &JsValue, mut take: impl FnMut(String, String) -> Option<()>) -> Option<()> {
    let entries = Object::entries(object.dyn_ref()?);
    for index in 0..entries.length() {
        let entry = list(entries.get(index))?;
        take(entry.get(0).as_string()?, entry.get(1).as_string()?)?;
    }
    Some(())
}

/// Reads an optional property. Returns `None` if the property exists but `read` cannot convert it.
pub(crate) fn optional<T>(
    object: &JsValue,
    name: &str,
    read: impl Fn(JsValue) -> Option<T>,
) -> Option<Option<T>> {
    let value = property(object, name);
    if value.is_null() || value.is_undefined() { Some(None) } else { read(value).map(Some) }
}
