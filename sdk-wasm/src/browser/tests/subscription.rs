//! Subscriptions: confirmation, messages, gaps and states.

use super::page::{Page, batch, get, rust};
use serde_json::json;
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
        "eventId": "000000000000000a-11", "timestamp": 1_800_000_000_123_u64, "publishedAt": 1_800_000_000_077_u64,
        "event": "added", "channel": "chat",
    });
    assert_eq!(page.got(), [json!(["message", r#"{"text":"grüezi"}"#, meta])]);
}

#[wasm_bindgen_test]
async fn a_batch_is_delivered_message_by_message_and_a_broken_batch_closes_the_connection() {
    let (mut page, _) = Page::subscribed().await;
    let payloads = |page: &Page| page.got().iter().map(|got| got[1].clone()).collect::<Vec<_>>();
    let whole = batch(&[page.publication("1"), page.publication("2")]);
    page.receive_bytes(&whole).await;
    assert_eq!(payloads(&page), ["1", "2"]);
    let cut = batch(&[page.publication("3"), page.publication("4")]);
    page.receive_bytes(&cut[..cut.len() - 1]).await;
    assert_eq!(payloads(&page), ["3"]);
    assert!(!get(&page.socket(), "closed").is_undefined());
    assert_eq!(page.client.state(), "reconnecting");
}

#[wasm_bindgen_test]
async fn a_gap_is_a_plain_object_whose_positions_are_strings() {
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
async fn the_page_gets_every_state_of_a_subscription() {
    let (page, _) = Page::subscribed().await;
    page.fire("close", 3, "code", &1006.into()).await;
    assert_eq!(rust(&get(&page.page, "standings")), json!(["subscribed", "resuming"]));
}
