//! Sealing of the messages that a resolver publishes.

use super::{
    inputs::{app_and_installation, channel_name, scope},
    names::Names,
    objects::{Properties, flag, number, optional_text, properties, read, write},
    random,
    secret::{Secret, SigningKey},
};
use crate::{
    convert::whole,
    error::{invalid_argument, with_code},
    fields::{property, text},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use js_sys::{Function, Uint8Array};
use sealwire_protocol::{
    AuthorSignature, ChannelAddress, ClaimsKeyring, Code, EncryptionKey, Message, Numbered, Numberings,
    Scope, SenderId, Signature, UnixMillis, check_event_name, encode_base64url, limits, repeatable_ids,
    signed_text,
};
use serde::Serialize;
use std::{cell::RefCell, collections::VecDeque};
use wasm_bindgen::{JsCast as _, JsValue, prelude::wasm_bindgen};

struct Input {
    app: String,
    installation: String,
    scope: Properties,
    channel: String,
    token: Option<String>,
    event: String,
    payload: String,
    /// The id that the app chose.
    idempotency_id: Option<String>,
    now_ms: f64,
    blind_names: bool,
}

impl Input {
    fn fields(input: &JsValue) -> Option<Self> {
        Some(Self {
            app: text(input, "app")?,
            installation: text(input, "installation")?,
            scope: properties(&property(input, "scope"))?,
            channel: text(input, "channel")?,
            token: optional_text(input, "token")?,
            event: text(input, "event")?,
            payload: text(input, "payload")?,
            idempotency_id: optional_text(input, "idempotencyId")?,
            now_ms: number(input, "nowMs")?,
            blind_names: flag(input, "blindNames")?,
        })
    }
}

/// The sender of a resolver's messages, in place of the account of a page's session. No account id contains a NUL.
const SENDER_NAME: &str = "\0resolver";

#[derive(Serialize)]
struct Output<'a> {
    /// The scope, the channel name and the event name that the relay sees.
    scope: &'a Scope,
    channel: &'a str,
    event: &'a str,
    /// The sealed message in standard base64.
    sealed: String,
    /// The idempotency id in base64url.
    id: String,
    /// The digest of the content in base64url, if the app chose the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    /// The number with which `settle` names the message.
    ticket: u32,
}

/// The most messages whose outcome the process has not reported. The oldest ones are never confirmed.
const MAX_TICKETS: usize = 1024;

/// The numbers of this process.
#[derive(Default)]
struct Sender {
    numberings: Numberings,
    last_ticket: u32,
    /// The messages whose outcome is open, oldest first.
    tickets: VecDeque<Ticket>,
}

struct Ticket {
    id: u32,
    numbered: Numbered,
    /// True if the acknowledgement of the first request shows that the relay accepted the message itself, behind all
    /// messages with lower numbers: the app did not choose its idempotency id, and no earlier message was under way.
    is_in_order: bool,
}

thread_local! {
    static SENDER: RefCell<Sender> = RefCell::default();
}

impl Sender {
    fn add(&mut self, numbered: Numbered, is_repeatable: bool) -> u32 {
        let is_earlier = |ticket: &Ticket| ticket.numbered.sender == numbered.sender;
        let is_in_order = !is_repeatable && !self.tickets.iter().any(is_earlier);
        if self.tickets.len() >= MAX_TICKETS {
            self.tickets.pop_front();
        }
        self.last_ticket = self.last_ticket.wrapping_add(1);
        self.tickets.push_back(Ticket { id: self.last_ticket, numbered, is_in_order });
        self.last_ticket
    }

    fn settle(&mut self, ticket: u32, is_accepted: bool) {
        let index = self.tickets.iter().position(|open| open.id == ticket);
        let settled = index.and_then(|index| self.tickets.remove(index));
        if let Some(Ticket { numbered, is_in_order: true, .. }) = settled
            && is_accepted
        {
            self.numberings.confirm(numbered);
        }
    }
}

/// Records whether the relay accepted the first request with a message of [`seal`]. Later messages of this process then
/// show subscribers whether it is missing.
#[wasm_bindgen]
pub fn settle(ticket: u32, accepted: bool) {
    SENDER.with_borrow_mut(|sender| sender.settle(ticket, accepted));
}

/// Seals one payload for a channel under the newest encryption key. For a channel with claims, it is the newest key
/// that the token was signed with.
///
/// `sign(text, key)` returns the signature of the bytes `text` by the key pair `key`, `{ d, x, y }`: ECDSA with P-256 and
/// SHA-256, 64 bytes as IEEE P1363 defines. Without `sign`, the message is not signed.
///
/// The result has the scope, the channel name and the event name for the relay: with `blindNames`, the tags of the given ones.
///
/// # Errors
/// An error if an argument is invalid, if no key of the token is in use any more, if the runtime has no randomness, or the
/// error of `sign`.
#[wasm_bindgen]
pub fn seal(input: &JsValue, secret: &JsValue, sign: Option<Function>) -> Result<JsValue, JsValue> {
    let input = read(input, "the message", Input::fields)?;
    let now = UnixMillis(whole(input.now_ms));
    let secret = Secret::read(secret, now.0 / 1000)?;
    let Input { app, installation, .. } = &input;
    app_and_installation(app, installation)?;
    channel_name(&input.channel)?;
    let own_id = input.idempotency_id.as_deref();
    check_own_id(own_id)?;
    check_event_name(&input.event).map_err(|invalid| with_code(Code::NameInvalid, &invalid.message()))?;
    let names = Names::new(&secret, app, installation, input.blind_names);
    let scope = names.scope(scope(&input.scope)?)?;
    let (channel, event) = (&*names.channel(&input.channel)?, &*names.event(&input.event)?);
    let claims = input.token.as_deref().map(claims_of).transpose()?;

    let channel_key = |(key, signing): &(EncryptionKey, SigningKey)| {
        let scope_key = key.scope_key(app, installation, &scope);
        let key = match &claims {
            None => scope_key.channel_key(None, channel),
            Some(claims) => scope_key.channel_key(Some(claims.find(key.id())?), channel),
        };
        Some((key, signing.clone()))
    };
    let (key, signing) = secret.keys.iter().find_map(channel_key).ok_or_else(|| {
        with_code(
            Code::TokenMalformed,
            "the token was signed before every encryption key that this installation now uses; sign it again",
        )
    })?;
    let claims_tag = claims.as_ref().map(|claims| &claims.tag);
    let id = ChannelAddress { app, installation, scope: &scope, claims_tag, name: channel }.id();
    let payload = &input.payload;
    let (random, new_sender) = (random::bytes()?, SenderId(random::bytes()?));
    let (wire_id, content) = match own_id {
        Some(own) => {
            let ids = repeatable_ids(&key, SENDER_NAME, own, event, payload);
            (ids.id, Some(encode_base64url(ids.content)))
        }
        None => (random::bytes()?, None),
    };
    SENDER.with_borrow_mut(|sender| {
        let numbered = sender.numberings.assign(id, || new_sender);
        let ticket = sender.add(numbered, own_id.is_some());
        let Numbered { sender: sender_id, stamp } = numbered;
        let message =
            Message { sender: sender_id, stamp, published_at: now, event, payload, signature: None };
        let sealed = || {
            let signed =
                |sign| signature(sign, &signed_text(id, &message), &signing).map(AuthorSignature::from);
            let of_function = sign.as_ref().map(signed).transpose()?;
            let message = Message { signature: of_function.as_ref(), ..message };
            sealwire_protocol::seal(&key, random, id, &message)
                .map_err(|too_large| with_code(Code::MessageSize, &too_large.to_string()))
        };
        let sealed = sealed().inspect_err(|_| sender.settle(ticket, false))?;
        let (sealed, id) = (STANDARD.encode(sealed), encode_base64url(wire_id));
        write(&Output { scope: &scope, channel, event, sealed, id, content, ticket })
    })
}

fn claims_of(token: &str) -> Result<ClaimsKeyring, JsValue> {
    ClaimsKeyring::parse(token)
        .map_err(|_| with_code(Code::TokenMalformed, "the token was not created by signRealtimeToken()"))
}

fn check_own_id(own_id: Option<&str>) -> Result<(), JsValue> {
    if own_id.is_some_and(|id| !(1..=limits::MAX_APP_ID).contains(&id.len())) {
        return Err(with_code(Code::InvalidArgument, "idempotencyId must have 1 to 255 bytes"));
    }
    Ok(())
}

/// Calls the host's function that signs.
pub(super) fn signature(sign: &Function, text: &[u8], key: &SigningKey) -> Result<Signature, JsValue> {
    let signature = sign.call2(&JsValue::UNDEFINED, &Uint8Array::from(text), &write(key)?)?;
    let bytes = signature.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec).unwrap_or_default();
    let bytes =
        bytes.try_into().map_err(|_| invalid_argument("sign() must return a Uint8Array of 64 bytes"))?;
    Ok(Signature(bytes))
}
