//! Large messages, which the host decrypts.

use super::page::{Page, get, js, set, settle};
use js_sys::{Array, Function, Promise, Uint8Array};
use serde_json::json;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

/// Decrypts with the AES-256-GCM of WebCrypto.
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
async fn webcrypto_decrypts_a_large_message_and_later_messages_wait_for_it() {
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
async fn the_core_decrypts_a_message_if_the_host_throws() {
    let mut page = page().await;
    set(&page.page, "opensNothing", &JsValue::TRUE);
    let large = json!("x".repeat(600)).to_string();
    page.publish_to_it(&large).await;
    settle().await;
    assert_eq!(page.got()[0][1], json!(large));
}
