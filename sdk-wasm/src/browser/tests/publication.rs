//! Publications: the receipt and the withdrawal.

use super::page::{Page, get, rejected, rust, set};
use js_sys::{Function, Object};
use sealwire_protocol::wire::{Position, Published, ToClient, ToRelay};
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn a_publish_resolves_with_the_relays_receipt() {
    let page = Page::open();
    let promise = page.client.publish(&page.channel(), "added".into(), "1".into(), &JsValue::UNDEFINED);
    page.connect().await;
    let ToRelay::Publish(publish) = page.sent() else { panic!("no publish") };
    page.receive(&ToClient::Published(Published {
        request: publish.request,
        position: Some(Position { epoch: u64::MAX, offset: u64::MAX, time_ms: u64::MAX }),
        time_ms: 1_800_000_000_123,
    }))
    .await;
    let receipt = rust(&JsFuture::from(promise).await.unwrap());
    let id = "ffffffffffffffff-18446744073709551615";
    assert_eq!(receipt, json!({ "eventId": id, "timestamp": 1_800_000_000_123_u64 }));
}

#[wasm_bindgen_test]
async fn the_number_passed_to_started_withdraws_the_publication() {
    let page = Page::open();
    let options = Object::new();
    let started = Function::new_with_args("page", "return (call) => { page.call = call; };");
    set(&options, "started", &started.call1(&JsValue::UNDEFINED, &page.page).unwrap());
    let promise = page.client.publish(&page.channel(), String::new(), "1".into(), &options);
    let call = get(&page.page, "call").as_f64().unwrap();
    page.client.withdraw(call as u32);
    let error = rejected(promise).await;
    assert_eq!((&error["code"], &error["mayHaveArrived"]), (&json!("UNREACHABLE"), &json!(false)));
}
