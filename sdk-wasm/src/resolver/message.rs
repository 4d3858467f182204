//! Sealing of the messages that a resolver publishes.

use super::{
    inputs::{app_and_installation, channel_name, scope},
    random,
    secret::Secret,
};
use crate::{
    convert::{read, whole, write},
    error::with_code,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealwire_protocol::{
    ChannelAddress, ClaimsKeyring, Code, EncryptionKey, UnixMillis, check_event_name, encode_base64url,
    limits, seal_repeatable,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    app: String,
    installation: String,
    scope: BTreeMap<String, String>,
    channel: String,
    token: Option<String>,
    event: String,
    payload: String,
    /// The id that the app chose.
    idempotency_id: Option<String>,
    now_ms: f64,
}

/// The sender of a resolver's messages, in place of the account of a page's session. No account id contains a NUL.
const SENDER: &str = "\0resolver";

#[derive(Serialize)]
struct Output {
    /// The sealed message in standard base64.
    sealed: String,
    /// The idempotency id in base64url.
    id: String,
}

/// Seals one payload for a channel under the newest encryption key. For a channel with claims, it is the newest key
/// that the token was signed with.
///
/// # Errors
/// An error if an argument is invalid, if no key of the token is in use any more, or if the runtime has no randomness.
#[wasm_bindgen]
pub fn seal(input: &JsValue, secret: &JsValue) -> Result<JsValue, JsValue> {
    let input: Input = read(input, "the message")?;
    let now = UnixMillis(whole(input.now_ms));
    let secret = Secret::read(secret, now.0 / 1000)?;
    let Input { app, installation, channel, event, .. } = &input;
    app_and_installation(app, installation)?;
    channel_name(channel)?;
    let own_id = input.idempotency_id.as_deref();
    if own_id.is_some_and(|id| !(1..=limits::MAX_APP_ID).contains(&id.len())) {
        return Err(with_code(Code::InvalidArgument, "idempotencyId must have 1 to 255 bytes"));
    }
    check_event_name(event).map_err(|invalid| with_code(Code::NameInvalid, &invalid.to_string()))?;
    let scope = scope(&input.scope)?;
    let claims = input.token.as_deref().map(ClaimsKeyring::parse).transpose();
    let claims = claims
        .map_err(|_| with_code(Code::TokenMalformed, "the token was not created by signRealtimeToken()"))?;

    let channel_key = |key: &EncryptionKey| {
        let scope_key = key.scope_key(app, installation, &scope);
        match &claims {
            None => Some(scope_key.channel_key(None, channel)),
            Some(claims) => Some(scope_key.channel_key(Some(claims.find(key.id())?), channel)),
        }
    };
    let key = secret.keys.iter().find_map(channel_key).ok_or_else(|| {
        with_code(
            Code::TokenMalformed,
            "the token was signed before every encryption key that this installation now uses; sign it again",
        )
    })?;
    let claims_tag = claims.as_ref().map(|claims| &claims.tag);
    let id = ChannelAddress { app, installation, scope: &scope, claims_tag, name: channel }.id();
    let payload = &input.payload;
    let (sealed, id) = match own_id {
        Some(own) => seal_repeatable(&key, id, SENDER, own, event, payload),
        None => {
            let wire_id = random::bytes()?;
            sealwire_protocol::seal(&key, random::bytes()?, id, event, now, payload)
                .map(|sealed| (sealed, wire_id))
        }
    }
    .map_err(|too_large| with_code(Code::MessageSize, &too_large.to_string()))?;
    write(&Output { sealed: STANDARD.encode(sealed), id: encode_base64url(id) })
}
