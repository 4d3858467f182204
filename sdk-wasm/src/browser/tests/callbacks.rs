//! Callbacks of the page that throw or call the client.

use super::page::{Page, batch, function, get, set, settle};
use js_sys::{Array, Function, Object, Promise};
use sealwire_protocol::wire::{ToClient, ToRelay, Unsubscribed};
use serde_json::json;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn an_exception_of_a_callback_reaches_the_page_and_not_the_client() {
    let mut page = Page::open();
    let promise = page.subscribe(&function("throw new Error('the app failed')"));
    page.connect().await;
    page.confirm().await;
    JsFuture::from(promise).await.unwrap();
    let both = batch(&[page.publication("1"), page.publication("2")]);
    page.receive_bytes(&both).await;
    page.publish_to_it("3").await;
    settle().await;
    settle().await;
    assert_eq!(get(&page.page, "unhandled").as_f64(), Some(3.0));
    assert_eq!(page.client.state(), "connected");
}

#[wasm_bindgen_test]
async fn a_callback_may_call_the_client_and_callbacks_never_nest() {
    let mut page = Page::open();
    // The callback unsubscribes within its first message.
    let source = "page, client, recorder";
    let body = r#"
        let depth = 0;
        return (payload) => {
            depth += 1;
            recorder(payload, depth);
            page.left = client.unsubscribe(page.id);
            client.publish({ name: 'chat' }, '', '"from within"');
            depth -= 1;
        };
    "#;
    set(&page.page, "id", &0.into());
    let calls = Object::new();
    let recorder = page.recorder("message");
    let (page_object, callback) = (page.page.clone(), Function::new_with_args(source, body));
    let client = std::mem::replace(&mut page.client, Page::open().client);
    let client: JsValue = client.into();
    let callback: Function =
        callback.call3(&JsValue::UNDEFINED, &page_object, &client, &recorder).unwrap().unchecked_into();
    let subscribe: Function = get(&client, "subscribe").unchecked_into();
    let arguments = Array::of4(&page.channel(), &calls, &callback, &page.notice_recorder());
    let promise: Promise = subscribe.apply(&client, &arguments).unwrap().unchecked_into();
    page.connect().await;
    page.confirm().await;
    set(&page.page, "id", &JsFuture::from(promise).await.unwrap());

    let both = batch(&[page.publication("1"), page.publication("2")]);
    page.receive_bytes(&both).await;
    page.publish_to_it("3").await;
    assert_eq!(page.got(), [json!(["message", "1", 1])]);
    let ToRelay::Unsubscribe(unsubscribe) = page.sent() else { panic!("no unsubscribe") };
    assert!(matches!(page.sent(), ToRelay::Publish(_)));
    page.receive(&ToClient::Unsubscribed(Unsubscribed { request: unsubscribe.request })).await;
    JsFuture::from(Promise::from(get(&page.page, "left"))).await.unwrap();
}
