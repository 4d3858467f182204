//! Presence: the rows of members, and the calls to enter and leave.

use super::page::{Page, channel_id, js, rust};
use sealwire_protocol::{
    encode_base64url,
    wire::{Presence, PresenceAccepted, PresenceEntry, ToClient, ToRelay},
};
use serde_json::json;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

async fn accept(page: &Page, request: u32) {
    let channel_id = channel_id().into();
    page.receive(&ToClient::PresenceAccepted(PresenceAccepted { request, channel_id })).await;
}

async fn report(page: &Page, version: u64, entries: Vec<PresenceEntry>, left: &[[u8; 16]]) {
    let left = left.iter().map(|id| id.to_vec().into()).collect();
    let (is_state, more) = (version == 1, false);
    let presence = Presence { channel_id: channel_id().into(), version, is_state, more, entries, left };
    page.receive(&ToClient::Presence(presence)).await;
}

#[wasm_bindgen_test]
async fn a_presence_passes_rows_and_enters_as_the_member_of_the_former_load() {
    let page = Page::open();
    let options = js(&json!({ "member": { "id": encode_base64url([1; 16]), "enteredAt": 5 } }));
    let (on_members, on_notice) = (page.recorder("members"), page.notice_recorder());
    let opened = page.client.subscribe(&page.channel(), &options, on_members.into(), on_notice.into());
    page.connect().await;
    let ToRelay::PresenceWatch(watch) = page.sent() else { panic!("no watch") };
    accept(&page, watch.request).await;
    let id = JsFuture::from(opened).await.unwrap().as_f64().unwrap() as u32;
    report(&page, 1, vec![], &[]).await;
    assert_eq!(page.got(), [json!(["members", []])]);

    let entered = page.client.enter(id, Some("{}".into()), false);
    let ToRelay::PresenceEnter(enter) = page.sent() else { panic!("no enter") };
    assert_eq!(enter.member[..], [1; 16]);
    accept(&page, enter.request).await;
    JsFuture::from(entered).await.unwrap();
    let entry =
        PresenceEntry { member: enter.member, number: enter.number, sealed: enter.sealed, in_grace: false };
    report(&page, 2, vec![entry], &[]).await;
    let row = json!([encode_base64url([1; 16]), "{}", "", 5, false, true, false]);
    assert_eq!(page.got(), [json!(["members", [row]])]);

    let left = page.client.enter(id, None, false);
    let ToRelay::PresenceLeave(leave) = page.sent() else { panic!("no leave") };
    accept(&page, leave.request).await;
    assert!(rust(&JsFuture::from(left).await.unwrap()).is_null());
    report(&page, 3, vec![], &[[1; 16]]).await;
    assert_eq!(page.got(), [json!(["members", [[encode_base64url([1; 16])]]])]);
}
