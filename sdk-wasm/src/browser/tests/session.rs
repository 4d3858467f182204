//! Sessions that the page provides: late, failed, malformed or without a promise.

use super::page::{Page, function, get, js, rejected, rust, set, settle};
use js_sys::Function;
use serde_json::{Value, json};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn a_session_that_arrives_after_a_newer_request_causes_no_unhandled_rejection() {
    let page = Page::open_with(&js(&json!({ "idleCloseMs": 0 })));
    let body = "page.late = []; page.session = () => new Promise((resolve) => page.late.push(resolve));";
    Function::new_with_args("page", body).call1(&JsValue::UNDEFINED, &page.page).unwrap();
    let first = page.client.publish(
        &page.channel(),
        String::new(),
        "1".into(),
        &js(&json!({ "timeoutMs": 0, "idempotencyId": "note-1" })),
    );
    assert_eq!(rejected(first).await["mayHaveArrived"], false);
    // No call needs a connection, so the client becomes idle. The next call requests another session.
    while page.client.state() != "idle" {
        settle().await;
    }
    let second = page.subscribe(&function(""));
    assert_eq!(rust(&get(&page.page, "calls")), json!(["connect", "connect"]));
    let answer = "for (const resolve of page.late) resolve(page.grant);";
    Function::new_with_args("page", answer).call1(&JsValue::UNDEFINED, &page.page).unwrap();
    page.connect().await;
    drop(second);
    assert_eq!(get(&page.page, "unhandled").as_f64(), Some(0.0));
}

#[wasm_bindgen_test]
async fn an_error_of_the_session_provider_keeps_its_code_and_retry_time() {
    for (body, code, retry) in [
        ("throw { code: 'PERMISSION_MISSING', message: 'not yours' }", "PERMISSION_MISSING", Value::Null),
        (
            "return Promise.reject(Object.assign(new Error('no'), { code: 'TOKEN_APP' }))",
            "TOKEN_APP",
            Value::Null,
        ),
    ] {
        let page = Page::open();
        set(&page.page, "session", &function(body));
        let promise = page.subscribe(&function(""));
        let error = rejected(promise).await;
        assert_eq!((&error["code"], &error["retryAfterMs"]), (&json!(code), &retry));
        assert_eq!(page.client.state(), "idle");
    }
}

#[wasm_bindgen_test]
async fn a_session_of_the_wrong_shape_is_a_permanent_error() {
    let outdated = "return { ...page.grant, keys: [{ id: 'AAAAAA', base: '' }] }";
    for answer in ["return undefined", "return null", "return 7", "return { url: 1 }", outdated] {
        let page = Page::open();
        let body = ["page.session = () => { ", answer, " };"].concat();
        Function::new_with_args("page", &body).call1(&JsValue::UNDEFINED, &page.page).unwrap();
        assert_eq!(rejected(page.subscribe(&function(""))).await["code"], "INVALID_ARGUMENT", "{answer}");
        assert_eq!(page.client.state(), "idle");
    }
}

#[wasm_bindgen_test]
async fn a_session_whose_properties_throw_is_requested_again() {
    let page = Page::open();
    set(&page.page, "session", &function("return new Proxy({}, { get() { throw 1 } })"));
    let promise = page.subscribe(&function(""));
    settle().await;
    assert_eq!(rust(&get(&page.page, "states")), json!(["connecting", "connecting SESSION_UNAVAILABLE"]));
    page.client.close();
    assert_eq!(rejected(promise).await["code"], "CLOSED");
}

#[wasm_bindgen_test]
async fn a_session_may_be_returned_without_a_promise() {
    let page = Page::open();
    let grant = get(&page.page, "grant");
    let session =
        Function::new_with_args("grant", "return () => grant").call1(&JsValue::UNDEFINED, &grant).unwrap();
    set(&page.page, "session", &session);
    let promise = page.subscribe(&function(""));
    page.connect().await;
    page.confirm().await;
    JsFuture::from(promise).await.unwrap();
}

#[wasm_bindgen_test]
async fn a_session_that_arrives_after_the_client_was_freed_is_ignored() {
    let mut page = Page::open();
    let later = "let answer; page.later = (grant) => answer(grant); return () => new Promise((resolve) => (answer = resolve))";
    let later = Function::new_with_args("page", later).call1(&JsValue::UNDEFINED, &page.page).unwrap();
    set(&page.page, "session", &later);
    let waiting = page.subscribe(&function(""));
    settle().await;
    page.client.close();
    assert_eq!(rejected(waiting).await["code"], "CLOSED");
    drop(std::mem::replace(&mut page.client, Page::open().client));
    let answer: Function = get(&page.page, "later").unchecked_into();
    answer.call1(&JsValue::UNDEFINED, &get(&page.page, "grant")).unwrap();
    settle().await;
    settle().await;
    assert_eq!(get(&page.page, "unhandled").as_f64(), Some(0.0));
}
