//! Large messages, which the host opens.

use super::page::{Page, get, js, settle};
use js_sys::{Array, Function, Promise, Uint8Array};
use serde_json::json;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

/// AES-256-GCM of the platform.
const DECRYPT: &str = r#"
const key = await crypto.subtle.importKey('raw', input[1], 'AES-GCM', false, ['decrypt']);
return crypto.subtle.decrypt({ name: 'AES-GCM', iv: input[2], additionalData: input[3] }, key, input[4]);
"#;

async fn page() -> Page {
    Page::open_with(&js(&json!({ "hostDecryptThreshold": 500 }))).subscribe_it().await.0
}

async fn decrypted(input: &Array) -> Uint8Array {
    let decrypt = Function::new_with_args("input", &format!("return (async () => {{ {DECRYPT} }})()"));
    let promise = decrypt.call1(&JsValue::UNDEFINED, input).unwrap();
    Uint8Array::new(&JsFuture::from(Promise::from(promise)).await.unwrap())
}

#[wasm_bindgen_test]
async fn a_large_message_is_opened_by_webcrypto_and_what_follows_waits() {
    let mut page = page().await;
    let large = json!("grüezi ".repeat(100)).to_string();
    page.publish_to_it(&large).await;
    page.publish_to_it("2").await;
    assert_eq!(page.got().len(), 0);
    let openings: Array = get(&page.page, "openings").unchecked_into();
    assert_eq!(openings.length(), 1);
    let input: Array = openings.get(0).unchecked_into();
    let opening = input.get(0).as_f64().unwrap() as u32;
    page.client.provide_opened(opening, Some(decrypted(&input).await));
    let got: Vec<_> = page.got().iter().map(|call| call[1].clone()).collect();
    assert_eq!(got, [json!(large), json!("2")]);
}

#[wasm_bindgen_test]
async fn a_host_that_throws_leaves_the_opening_to_the_core() {
    let mut page = page().await;
    super::set(&page.page, "opensNothing", &JsValue::TRUE);
    let large = json!("x".repeat(600)).to_string();
    page.publish_to_it(&large).await;
    settle().await;
    assert_eq!(page.got()[0][1], json!(large));
}
