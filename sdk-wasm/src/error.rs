//! The errors that JavaScript gets: plain objects `{ code, message, retryAfterMs?, mayHaveArrived? }`.

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
    #[wasm_bindgen(method, setter, js_name = retryAfterMs)]
    fn set_retry_after_ms(this: &ErrorObject, retry_after_ms: f64);
    #[wasm_bindgen(method, setter, js_name = mayHaveArrived)]
    fn set_may_have_arrived(this: &ErrorObject, may_have_arrived: bool);
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

fn set_retry_after(error: JsValue, milliseconds: f64) -> JsValue {
    error.unchecked_ref::<ErrorObject>().set_retry_after_ms(milliseconds);
    error
}

#[cfg(feature = "resolver")]
pub(crate) fn retry_later(code: Code, message: &str, after_ms: f64) -> JsValue {
    set_retry_after(with_code(code, message), after_ms)
}

#[cfg(feature = "browser")]
pub(crate) fn from_client(error: &sealwire_client::ClientError) -> JsValue {
    let object = object(error.code.name(), &error.message);
    if let Some(may_have_arrived) = error.may_have_arrived {
        object.unchecked_ref::<ErrorObject>().set_may_have_arrived(may_have_arrived);
    }
    match error.retry_after_ms {
        Some(retry_after_ms) => set_retry_after(object, f64::from(retry_after_ms)),
        None => object,
    }
}
