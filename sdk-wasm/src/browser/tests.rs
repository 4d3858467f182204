//! The shell: what JavaScript passes in and gets out.
#![allow(clippy::unwrap_used, reason = "clippy does not know wasm_bindgen_test for a test")]

mod opening;
mod page;

use js_sys::{Array, Function, Object, Promise, Uint8Array};
use page::{Page, function, get, js, rejected, rust, set, settle};
use sealwire_protocol::wire::{Position, Published, ToClient, ToRelay, Unsubscribed};
use serde_json::{Value, json};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn a_subscription_is_confirmed_by_the_relay_and_gets_payload_and_meta() {
    let (mut page, id) = Page::subscribed().await;
    assert!(id > 0);
    assert_eq!(rust(&get(&page.page, "calls")), json!(["connect"]));
    assert_eq!(rust(&get(&page.page, "states")), json!(["connecting", "connected"]));
    assert_eq!(page.client.state(), "connected");
    let socket = page.socket();
    assert_eq!(get(&socket, "url").as_string().as_deref(), Some("wss://relay.example/v1/realtime"));
    assert_eq!(get(&socket, "protocol").as_string().as_deref(), Some("sealwire.v1"));
    assert_eq!(get(&socket, "binaryType").as_string().as_deref(), Some("arraybuffer"));
    page.publish_to_it(r#"{"text":"grüezi"}"#).await;
    let meta = json!({
        "eventId": "000000000000000a-11", "timestamp": 1_800_000_000_123_u64, "publishedAt": 77,
        "event": "added", "channel": "chat",
    });
    assert_eq!(page.got(), [json!(["message", r#"{"text":"grüezi"}"#, meta])]);
}

#[wasm_bindgen_test]
async fn the_messages_of_a_batch_come_one_by_one_and_a_broken_one_ends_the_connection() {
    let (mut page, _) = Page::subscribed().await;
    let batch = |messages: [ToClient; 2]| {
        let frame = |message: &ToClient| {
            let message = message.to_bytes();
            let len = u16::try_from(message.len()).unwrap().to_be_bytes();
            [&[0x82, 126], &len[..], &message].concat()
        };
        messages.iter().flat_map(frame).collect::<Vec<_>>()
    };
    let payloads = |page: &Page| page.got().iter().map(|got| got[1].clone()).collect::<Vec<_>>();
    let whole = batch([page.publication("1"), page.publication("2")]);
    page.receive_bytes(&whole).await;
    assert_eq!(payloads(&page), ["1", "2"]);
    let cut = batch([page.publication("3"), page.publication("4")]);
    page.receive_bytes(&cut[..cut.len() - 1]).await;
    assert_eq!(payloads(&page), ["3"]);
    assert!(!get(&page.socket(), "closed").is_undefined());
    assert_eq!(page.client.state(), "reconnecting");
}

#[wasm_bindgen_test]
async fn a_gap_is_a_plain_object_with_strings_for_positions() {
    let (mut page, _) = Page::subscribed().await;
    page.offset = 20;
    page.publish_to_it("1").await;
    let got = page.got();
    let notice = &got[0][1];
    assert_eq!((&notice["kind"], &notice["reason"]), (&json!("gap"), &json!("skipped")));
    assert_eq!(notice["from"], json!({ "epoch": "000000000000000a", "offset": "10" }));
    assert_eq!(notice["to"], json!({ "epoch": "000000000000000a", "offset": "20" }));
    assert_eq!(got[1][1], "1");
}

#[wasm_bindgen_test]
async fn a_publish_resolves_with_the_relays_receipt() {
    let page = Page::open();
    let promise = page.client.publish(&page.channel(), "added".into(), "1".into(), &JsValue::UNDEFINED);
    page.connect().await;
    let ToRelay::Publish(publish) = page.sent() else { panic!("no publish") };
    page.receive(&ToClient::Published(Published {
        request: publish.request,
        position: Some(Position { epoch: u64::MAX, offset: u64::MAX }),
        time_ms: 1_800_000_000_123,
    }))
    .await;
    let receipt = rust(&JsFuture::from(promise).await.unwrap());
    let id = "ffffffffffffffff-18446744073709551615";
    assert_eq!(receipt, json!({ "eventId": id, "timestamp": 1_800_000_000_123_u64 }));
}

#[wasm_bindgen_test]
async fn the_page_is_told_how_a_subscription_stands() {
    let (page, _) = Page::subscribed().await;
    page.fire("close", 3, "code", &1006.into()).await;
    assert_eq!(rust(&get(&page.page, "standings")), json!(["subscribed", "resuming"]));
}

#[wasm_bindgen_test]
async fn a_session_that_comes_after_the_next_one_was_asked_for_leaves_nothing_unhandled() {
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
    // Nothing needs a connection, so the client rests, and asks anew for the next call.
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
async fn a_publication_that_is_withdrawn_is_told_by_the_number_that_the_call_began_with() {
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

#[wasm_bindgen_test]
async fn a_callback_that_throws_reaches_the_page_and_not_the_client() {
    let mut page = Page::open();
    let promise = page.subscribe(&function("throw new Error('the app failed')"));
    page.connect().await;
    page.confirm().await;
    JsFuture::from(promise).await.unwrap();
    page.publish_to_it("1").await;
    page.publish_to_it("2").await;
    settle().await;
    settle().await;
    assert_eq!(get(&page.page, "unhandled").as_f64(), Some(2.0));
    assert_eq!(page.client.state(), "connected");
}

#[wasm_bindgen_test]
async fn a_callback_may_call_the_client_and_callbacks_never_nest() {
    let mut page = Page::open();
    // Unsubscribes itself within its first message.
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

    page.publish_to_it("1").await;
    page.publish_to_it("2").await;
    assert_eq!(page.got(), [json!(["message", "1", 1])]);
    let ToRelay::Unsubscribe(unsubscribe) = page.sent() else { panic!("no unsubscribe") };
    assert!(matches!(page.sent(), ToRelay::Publish(_)));
    page.receive(&ToClient::Unsubscribed(Unsubscribed { request: unsubscribe.request })).await;
    JsFuture::from(Promise::from(get(&page.page, "left"))).await.unwrap();
}

#[wasm_bindgen_test]
async fn closing_rejects_what_waits_calls_nothing_back_and_closes_the_socket() {
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
async fn what_session_fails_with_keeps_its_code_and_its_time() {
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
async fn a_session_of_a_wrong_shape_is_refused_for_good() {
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
async fn a_session_that_cannot_be_read_is_asked_for_again() {
    let page = Page::open();
    set(&page.page, "session", &function("return new Proxy({}, { get() { throw 1 } })"));
    let promise = page.subscribe(&function(""));
    settle().await;
    assert_eq!(rust(&get(&page.page, "states")), json!(["connecting", "connecting SESSION_UNAVAILABLE"]));
    page.client.close();
    assert_eq!(rejected(promise).await["code"], "CLOSED");
}

#[wasm_bindgen_test]
async fn a_session_that_is_no_promise_serves_as_well() {
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
async fn a_page_that_may_not_connect_is_told_and_tries_again_later() {
    let page = Page::open();
    set(&page.page, "refuses", &JsValue::TRUE);
    let promise = page.subscribe(&function(""));
    settle().await;
    assert_eq!(rust(&get(&page.page, "states")), json!(["connecting", "connecting UNREACHABLE"]));
    page.client.close();
    assert_eq!(rejected(promise).await["code"], "CLOSED");
}

#[wasm_bindgen_test]
async fn a_closed_socket_is_reported_with_what_its_code_says() {
    let (page, _) = Page::subscribed().await;
    page.fire("close", 3, "code", &4403.into()).await;
    let got = page.got();
    assert_eq!((&got[0][1]["kind"], &got[0][1]["code"]), (&json!("ended"), &json!("PERMISSION_MISSING")));
    assert_eq!(page.client.state(), "idle");
}

#[wasm_bindgen_test]
async fn text_and_nonsense_from_the_relay_end_the_connection_only() {
    for data in [JsValue::from("text"), Uint8Array::from(&[255_u8; 3][..]).buffer().into()] {
        let (page, _) = Page::subscribed().await;
        page.fire("message", 1, "data", &data).await;
        assert_eq!(get(&page.socket(), "closed").as_f64(), Some(4400.0));
        assert_eq!(page.client.state(), "reconnecting");
        page.client.close();
    }
}

#[wasm_bindgen_test]
async fn wrong_arguments_reject_with_a_code() {
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
async fn a_socket_that_is_given_up_hears_no_listener_of_the_client_any_more() {
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

#[wasm_bindgen_test]
async fn a_session_that_comes_after_the_client_has_gone_harms_nobody() {
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
