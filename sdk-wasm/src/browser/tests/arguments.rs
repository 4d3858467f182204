//! Arguments that JavaScript gets wrong.

use super::page::{Page, function, get, js, rejected, rust};
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn invalid_arguments_reject_with_a_code() {
    let page = Page::open();
    let nothing = function("");
    for (channel, on_message) in [
        (JsValue::UNDEFINED, JsValue::from(&nothing)),
        (js(&json!({ "name": 7 })), JsValue::from(&nothing)),
        (js(&json!({ "name": "chat", "scope": "issue" })), JsValue::from(&nothing)),
        (page.channel(), JsValue::from("no function")),
    ] {
        let promise = page.client.subscribe(&channel, &JsValue::UNDEFINED, on_message, (&nothing).into());
        assert_eq!(rejected(promise).await["code"], "INVALID_ARGUMENT");
    }
    let promise = page.client.publish(&JsValue::NULL, String::new(), String::new(), &JsValue::UNDEFINED);
    assert_eq!(rejected(promise).await["code"], "INVALID_ARGUMENT");
    let replay = js(&json!({ "replaySeconds": 1e300 }));
    let promise = page.client.subscribe(&page.channel(), &replay, (&nothing).into(), (&nothing).into());
    assert_eq!(rejected(promise).await["code"], "REPLAY_TOO_LONG");
    let promise = page.client.refresh_token(99, "x".into());
    assert_eq!(rejected(promise).await["code"], "NOT_SUBSCRIBED");
    JsFuture::from(page.client.unsubscribe(99)).await.unwrap();
    assert_eq!(rust(&get(&page.page, "calls")), json!([]));
}
