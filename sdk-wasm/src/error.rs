//! Errors as JavaScript gets them: plain objects `{ code, message, retryAfterMs? }`.

use sealwire_protocol::Code;
use wasm_bindgen::{JsCast as _, JsValue, prelude::wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = js_sys::Object)]
    type ErrorObject;
    #[wasm_bindgen(method, setter)]
    fn set_code(this: &ErrorObject, code: &str);
    #[wasm_bindgen(method, setter)]
    fn set_message(this: &ErrorObject, message: &str);
    #[cfg(feature = "browser")]
    #[wasm_bindgen(method, setter, js_name = retryAfterMs)]
    fn set_retry_after_ms(this: &ErrorObject, retry_after_ms: f64);
}

pub(crate) fn object(code: &str, message: &str) -> JsValue {
    let error: ErrorObject = js_sys::Object::new().unchecked_into();
    error.set_code(code);
    error.set_message(message);
    error.into()
}

pub(crate) fn with_code(code: Code, message: &str) -> JsValue {
    object(code.name(), message)
}

pub(crate) fn invalid_argument(message: &str) -> JsValue {
    with_code(Code::InvalidArgument, message)
}

#[cfg(feature = "browser")]
pub(crate) fn from_client(error: &sealwire_client::ClientError) -> JsValue {
    let object = object(error.code.name(), &error.message);
    if let Some(retry_after_ms) = error.retry_after_ms {
        object.unchecked_ref::<ErrorObject>().set_retry_after_ms(f64::from(retry_after_ms));
    }
    object
}
