//! The plain objects that JavaScript gets. They are built property by property, which is faster than JSON.

use crate::{convert::number, error::from_client};
use js_sys::Array;
use sealwire_client::{
    Author, Gap, GapReason, Member, Message, Notice, Receipt, SessionReason, Standing, State,
};
use sealwire_protocol::{MemberId, encode_base64url, wire::Position};
use wasm_bindgen::{JsCast as _, JsValue, prelude::wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = js_sys::Object)]
    type Output;
    #[wasm_bindgen(method, setter, js_name = eventId)]
    fn set_event_id(this: &Output, event_id: &JsValue);
    #[wasm_bindgen(method, setter)]
    fn set_timestamp(this: &Output, ms: f64);
    #[wasm_bindgen(method, setter, js_name = publishedAt)]
    fn set_published_at(this: &Output, ms: f64);
    #[wasm_bindgen(method, setter)]
    fn set_event(this: &Output, event: &JsValue);
    #[wasm_bindgen(method, setter)]
    fn set_channel(this: &Output, channel: &JsValue);
    #[wasm_bindgen(method, setter)]
    fn set_kind(this: &Output, kind: &str);
    #[wasm_bindgen(method, setter, js_name = accountId)]
    fn set_account_id(this: &Output, account_id: &str);
    #[wasm_bindgen(method, setter)]
    fn set_sender(this: &Output, sender: &Output);
    #[wasm_bindgen(method, setter)]
    fn set_state(this: &Output, state: &str);
    #[wasm_bindgen(method, setter)]
    fn set_from(this: &Output, from: &JsValue);
    #[wasm_bindgen(method, setter)]
    fn set_to(this: &Output, to: &JsValue);
    #[wasm_bindgen(method, setter)]
    fn set_reason(this: &Output, reason: &str);
    #[wasm_bindgen(method, setter)]
    fn set_message(this: &Output, message: &str);
    #[wasm_bindgen(method, setter)]
    fn set_epoch(this: &Output, epoch: &str);
    #[wasm_bindgen(method, setter)]
    fn set_offset(this: &Output, offset: &str);

    type Text;
    /// Appends the decimal form of a number.
    #[wasm_bindgen(method)]
    fn concat(this: &Text, number: f64) -> JsValue;
}

/// The greatest integer up to which JavaScript's numbers are exact.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

fn output() -> Output {
    js_sys::Object::new().unchecked_into()
}

/// Converts the metadata of a message. `remembered` has the texts of the message before.
pub(super) fn meta(message: &Message, remembered: &mut Remembered) -> JsValue {
    let meta = output();
    meta.set_event_id(&remembered.event_id(message.position));
    meta.set_timestamp(number(message.time_ms));
    meta.set_published_at(number(message.published_at_ms));
    meta.set_event(remembered.event.of(&message.event));
    meta.set_channel(remembered.channel.of(&message.channel));
    if !matches!(message.author, Author::Unverified) {
        meta.set_sender(&sender(&message.author));
    }
    meta.into()
}

fn sender(author: &Author) -> Output {
    let sender = output();
    match author {
        Author::Unverified => {}
        Author::Function => sender.set_kind("function"),
        Author::Page { account } => {
            sender.set_kind("page");
            sender.set_account_id(account);
        }
    }
    sender
}

/// The texts of the message before. Those of the next one are nearly always the same, and each conversion to a string of
/// JavaScript takes longer than a comparison.
#[derive(Default)]
pub(super) struct Remembered {
    event: Name,
    channel: Name,
    /// The epoch of the position before, and the start of its event ids.
    epoch: Option<(u64, Text)>,
}

#[derive(Default)]
struct Name {
    text: String,
    converted: JsValue,
}

impl Name {
    /// Returns `text` as a string of JavaScript.
    fn of(&mut self, text: &str) -> &JsValue {
        if self.converted.is_undefined() || self.text != text {
            *self = Self { text: text.into(), converted: text.into() };
        }
        &self.converted
    }
}

impl Remembered {
    /// Returns [`Position::event_id`] as a string of JavaScript.
    fn event_id(&mut self, position: Position) -> JsValue {
        if position.offset > MAX_SAFE_INTEGER {
            return position.event_id().into();
        }
        let epoch = self.epoch.take().filter(|(epoch, _)| *epoch == position.epoch);
        let (_, start) = self.epoch.insert(epoch.unwrap_or_else(|| {
            let mut start = Position { offset: 0, ..position }.event_id();
            start.pop();
            (position.epoch, JsValue::from(start).unchecked_into())
        }));
        start.concat(number(position.offset))
    }
}

pub(super) fn receipt(receipt: &Receipt) -> JsValue {
    let result = output();
    result.set_event_id(&receipt.position.event_id().into());
    result.set_timestamp(number(receipt.time_ms));
    result.into()
}

pub(super) fn notice(notice: &Notice) -> JsValue {
    match notice {
        Notice::Gap(Gap { from, to, reason }) => {
            let gap = output();
            gap.set_kind("gap");
            gap.set_from(&from.map_or(JsValue::NULL, position));
            gap.set_to(&position(*to));
            gap.set_reason(match reason {
                GapReason::Evicted => "evicted",
                GapReason::Epoch => "epoch",
                GapReason::Skipped => "skipped",
                GapReason::Withheld => "withheld",
            });
            gap.set_message(reason.message());
            gap.into()
        }
        Notice::Resumed { recovered } => {
            with_kind(if *recovered { "recovered" } else { "not-recovered" }, output().into())
        }
        Notice::Error(error) => with_kind("error", from_client(error)),
        Notice::Ended(error) => with_kind("ended", from_client(error)),
    }
}

/// Converts members to rows: `[id, data, account, enteredAt, inGrace, isSelf, isVerified]`, and `[id]` for a member that left.
pub(super) fn members(changed: &[Member], left: &[MemberId]) -> JsValue {
    let rows = Array::new();
    for member in changed {
        let row = member_row(&member.id);
        row.push(&JsValue::from(&member.data));
        row.push(&JsValue::from(&member.account));
        row.push(&number(member.entered_at_ms).into());
        row.push(&member.in_grace.into());
        row.push(&member.is_self.into());
        row.push(&member.is_verified.into());
        rows.push(&row);
    }
    for id in left {
        rows.push(&member_row(id));
    }
    rows.into()
}

fn member_row(id: &MemberId) -> Array {
    let row = Array::new();
    row.push(&encode_base64url(id).into());
    row
}

pub(super) fn standing(standing: Standing) -> JsValue {
    let object = output();
    object.set_kind("state");
    object.set_state(match standing {
        Standing::Subscribing => "subscribing",
        Standing::Subscribed => "subscribed",
        Standing::Resuming => "resuming",
    });
    object.into()
}

fn with_kind(kind: &str, object: JsValue) -> JsValue {
    object.unchecked_ref::<Output>().set_kind(kind);
    object
}

/// Converts a position to the parts of an event id: the epoch as 16 hexadecimal digits and the offset as a decimal
/// number.
fn position(position: Position) -> JsValue {
    let result = output();
    let id = position.event_id();
    let (epoch, offset) = id.split_at(16);
    result.set_epoch(epoch);
    result.set_offset(&offset[1..]);
    result.into()
}

pub(super) fn state(state: State) -> &'static str {
    match state {
        State::Idle => "idle",
        State::Connecting => "connecting",
        State::Connected => "connected",
        State::Reconnecting => "reconnecting",
        State::Suspended => "suspended",
        State::Closed => "closed",
    }
}

pub(super) fn reason(reason: SessionReason) -> &'static str {
    match reason {
        SessionReason::Connect => "connect",
        SessionReason::Refresh => "refresh",
        SessionReason::UnknownKey => "unknown-key",
    }
}
