//! The socket: refused, failed, closed and discarded.

use super::page::{Page, function, get, js, rejected, rust, set, settle};
use js_sys::{Function, Uint8Array};
use serde_json::{Value, json};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn a_forbidden_connection_is_reported_and_retried() {
    let page = Page::open();
    set(&page.page, "refuses", &JsValue::TRUE);
    let promise = page.subscribe(&function(""));
    settle().await;
    assert_eq!(rust(&get(&page.page, "states")), json!(["connecting", "connecting UNREACHABLE"]));
    page.client.close();
    assert_eq!(rejected(promise).await["code"], "CLOSED");
}

#[wasm_bindgen_test]
async fn the_reason_of_a_failed_connection_reaches_the_page() {
    for (failure, state) in [
        (json!({ "code": "ORIGIN_REFUSED", "message": "not yours" }), "idle ORIGIN_REFUSED"),
        (
            json!({ "code": "TOO_MANY_CONNECTIONS", "message": "later", "retryAfterMs": 60_000 }),
            "reconnecting TOO_MANY_CONNECTIONS",
        ),
        (json!({ "code": "NEWER_THAN_THIS", "message": "what" }), "reconnecting UNREACHABLE"),
        (json!({}), "reconnecting UNREACHABLE"),
    ] {
        let (page, _) = Page::subscribed().await;
        page.fire("close", 3, "failure", &js(&failure)).await;
        let states = rust(&get(&page.page, "states"));
        assert_eq!(states.as_array().unwrap().last(), Some(&json!(state)), "{failure}");
        page.client.close();
    }
}

#[wasm_bindgen_test]
async fn the_close_code_of_a_socket_determines_the_reported_error() {
    let (page, _) = Page::subscribed().await;
    page.fire("close", 3, "code", &4403.into()).await;
    let got = page.got();
    assert_eq!((&got[0][1]["kind"], &got[0][1]["code"]), (&json!("ended"), &json!("PERMISSION_MISSING")));
    assert_eq!(page.client.state(), "idle");
}

#[wasm_bindgen_test]
async fn a_text_or_malformed_message_closes_only_the_connection() {
    for data in [JsValue::from("text"), Uint8Array::from(&[255_u8; 3][..]).buffer().into()] {
        let (page, _) = Page::subscribed().await;
        page.fire("message", 1, "data", &data).await;
        assert_eq!(get(&page.socket(), "closed").as_f64(), Some(4400.0));
        assert_eq!(page.client.state(), "reconnecting");
        page.client.close();
    }
}

#[wasm_bindgen_test]
async fn close_rejects_pending_calls_stops_callbacks_and_closes_the_socket() {
    let (mut page, _) = Page::subscribed().await;
    let waiting = page.client.publish(&page.channel(), String::new(), "1".into(), &JsValue::UNDEFINED);
    page.client.close();
    page.client.close();
    page.publish_to_it("1").await;
    assert_eq!(rejected(waiting).await["code"], "CLOSED");
    assert_eq!(get(&page.socket(), "closed").as_f64(), Some(1000.0));
    assert_eq!(page.got(), Vec::<Value>::new());
    assert_eq!(page.client.state(), "closed");
    let late = page.subscribe(&function(""));
    assert_eq!(rejected(late).await["code"], "CLOSED");
}

#[wasm_bindgen_test]
async fn a_discarded_socket_has_no_listener_of_the_client() {
    let (page, _) = Page::subscribed().await;
    let socket = page.socket();
    let left = "return [...Object.entries(socket.listeners)].filter(([, count]) => count > 0).length";
    let count = "
        const { addEventListener, removeEventListener } = EventTarget.prototype;
        socket.listeners = { open: 1, message: 1, close: 1 };
        socket.removeEventListener = function (kind, listener) {
            socket.listeners[kind] -= 1;
            return removeEventListener.call(this, kind, listener);
        };
    ";
    Function::new_with_args("socket", count).call1(&JsValue::UNDEFINED, &socket).unwrap();
    page.client.close();
    settle().await;
    let left = Function::new_with_args("socket", left).call1(&JsValue::UNDEFINED, &socket).unwrap();
    assert_eq!(left.as_f64(), Some(0.0));
}
