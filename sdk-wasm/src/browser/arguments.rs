//! Reads the arguments from JavaScript. The API in `js` has already checked them. An invalid argument is an error here,
//! never a panic.

use crate::{
    convert::whole,
    error::invalid_argument,
    fields::{each_text, list, optional, plain, property, text},
};
use sealwire_client::{ChannelSpec, ClientError, Config, GrantKey, Pause, SessionGrant};
use sealwire_protocol::{Code, MemberId, Scope, UnixMillis, UnixSeconds, decode_base64url};
use wasm_bindgen::{JsCast as _, JsValue};

fn duration(object: &JsValue, name: &str, default: u64) -> u64 {
    property(object, name).as_f64().map_or(default, whole)
}

pub(super) fn config(options: &JsValue) -> Config {
    let config = Config::default();
    Config {
        idle_close_ms: duration(options, "idleCloseMs", config.idle_close_ms),
        host_decrypt_threshold: property(options, "hostDecryptThreshold")
            .as_f64()
            .map(|bytes| bytes as usize),
        verifies_signatures: property(options, "verifiesSignatures").is_truthy(),
        ..config
    }
}

pub(super) fn replay_seconds(options: &JsValue) -> Option<u32> {
    let seconds = property(options, "replaySeconds").as_f64()?;
    Some(u32::try_from(whole(seconds.ceil())).unwrap_or(u32::MAX))
}

/// Returns the time limit of the call, if it has one.
pub(super) fn timeout_ms(options: &JsValue) -> Option<u64> {
    property(options, "timeoutMs").as_f64().map(whole)
}

/// Returns the idempotency id that the app chose, if any.
pub(super) fn idempotency_id(options: &JsValue) -> Option<String> {
    text(options, "idempotencyId")
}

/// Returns whether the page signs the message.
pub(super) fn signed(options: &JsValue) -> bool {
    property(options, "signed").is_truthy()
}

/// Returns the function that receives the number of the call, with which the page can cancel it.
pub(super) fn on_started(options: &JsValue) -> Option<js_sys::Function> {
    property(options, "started").dyn_into().ok()
}

/// Returns the member of a subscription to a presence: `{ id?, enteredAt? }`, or `None` if the subscription is to messages.
pub(super) fn member(options: &JsValue) -> Option<Option<(MemberId, u64)>> {
    let member = property(options, "member");
    let read = || {
        let id = decode_base64url(&text(&member, "id")?)?.try_into().ok()?;
        Some((id, whole(property(&member, "enteredAt").as_f64()?)))
    };
    member.is_object().then(read)
}

/// Returns the app's function for channel tokens, if it has one.
pub(super) fn token_provider(options: &JsValue) -> Option<js_sys::Function> {
    property(options, "renewToken").dyn_into().ok()
}

pub(super) fn pause(reason: &str) -> Pause {
    match reason {
        "offline" => Pause::Offline,
        "hidden" => Pause::Hidden,
        _ => Pause::Frozen,
    }
}

pub(super) fn channel(spec: &JsValue) -> Result<ChannelSpec, JsValue> {
    let read = || {
        let spec = plain(spec)?;
        let name = text(&spec, "name")?;
        let scope = optional(&spec, "scope", |value| {
            list(value)?.iter().map(|property| property.as_string()).collect()
        })?;
        Some(ChannelSpec { name, scope, token: optional(&spec, "token", |token| token.as_string())? })
    };
    read().ok_or_else(|| invalid_argument("the channel is not an object { name, scope?, token? }"))
}

pub(super) fn function(value: JsValue, what: &str) -> Result<js_sys::Function, JsValue> {
    value.dyn_into().map_err(|_| invalid_argument(&[what, " is not a function"].concat()))
}

/// Reads a session grant property by property. A serde implementation would make the core a tenth larger.
pub(super) fn grant(value: &JsValue) -> Result<SessionGrant, ClientError> {
    let read = || {
        let grant = plain(value)?;
        let mut context = Scope::default();
        each_text(&property(&grant, "context"), |name, value| context.insert(&name, &value).ok())?;
        Some(SessionGrant {
            url: text(&grant, "url")?,
            token: text(&grant, "token")?,
            issued_at_ms: UnixMillis(whole(property(&grant, "issuedAtMs").as_f64()?)),
            expires_at: UnixSeconds(whole(property(&grant, "expiresAt").as_f64()?)),
            app: text(&grant, "app")?,
            installation: text(&grant, "installation")?,
            context,
            keys: list(property(&grant, "keys"))?.iter().map(|key| grant_key(&key)).collect::<Option<_>>()?,
            name_tag_key: text(&grant, "nameTagKey"),
        })
    };
    // The code is not retryable, since the same function would return the same shape again.
    read().ok_or_else(|| {
        ClientError::new(
            Code::InvalidArgument,
            "the session has the wrong shape; create it with sealwire/resolver",
        )
    })
}

fn grant_key(key: &JsValue) -> Option<GrantKey> {
    Some(GrantKey {
        id: text(key, "id")?,
        scopes: text(key, "scopes")?,
        signer: text(key, "signer")?,
        certificate: text(key, "certificate"),
    })
}

/// Converts an error of `session()` or of a token function. An error with a code of this protocol keeps its code.
pub(super) fn provider_error(thrown: &JsValue) -> ClientError {
    error(thrown, Code::SessionUnavailable, "the app's function failed")
}

/// Converts the reason for which the host could not connect or a connection ended.
pub(super) fn transport_error(failure: &JsValue) -> ClientError {
    error(failure, Code::Unreachable, "the connection to the relay was lost or could not be made")
}

fn error(thrown: &JsValue, default_code: Code, default_message: &str) -> ClientError {
    let message = property(thrown, "message").as_string();
    let message = message.unwrap_or_else(|| default_message.into());
    let name = property(thrown, "code").as_string();
    let code = Code::ALL.iter().find(|code| name.as_deref() == Some(code.name()));
    let mut error = ClientError::new(code.copied().unwrap_or(default_code), message);
    error.retry_after_ms = property(thrown, "retryAfterMs")
        .as_f64()
        .map(|after| u32::try_from(whole(after)).unwrap_or(u32::MAX));
    error
}
