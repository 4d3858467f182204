//! What JavaScript passes in. The idiomatic API has checked it before; whatever else comes is an error, never a panic.

use crate::{
    convert::{plain, whole},
    error::invalid_argument,
};
use js_sys::{Array, Object, Reflect};
use sealwire_client::{ChannelSpec, ClientError, Config, GrantKey, Pause, SessionGrant};
use sealwire_protocol::{Code, Scope, UnixSeconds};
use wasm_bindgen::{JsCast as _, JsValue};

/// A property of an object; `undefined` where there is none.
fn property(object: &JsValue, name: &str) -> JsValue {
    if object.is_object() {
        Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
    } else {
        JsValue::UNDEFINED
    }
}

fn text(object: &JsValue, name: &str) -> Option<String> {
    property(object, name).as_string()
}

fn list(value: JsValue) -> Option<Array> {
    value.dyn_into().ok()
}

/// Calls `take` with the name and the value of each property; `None` where a value is no text or `take` says so.
fn each_text(object: &JsValue, mut take: impl FnMut(String, String) -> Option<()>) -> Option<()> {
    let entries = Object::entries(object.dyn_ref()?);
    for index in 0..entries.length() {
        let entry = list(entries.get(index))?;
        take(entry.get(0).as_string()?, entry.get(1).as_string()?)?;
    }
    Some(())
}

/// `None` where what is there is of another kind.
fn optional<T>(object: &JsValue, name: &str, read: impl Fn(JsValue) -> Option<T>) -> Option<Option<T>> {
    let value = property(object, name);
    if value.is_null() || value.is_undefined() { Some(None) } else { read(value).map(Some) }
}

fn duration(object: &JsValue, name: &str, otherwise: u64) -> u64 {
    property(object, name).as_f64().map_or(otherwise, whole)
}

pub(super) fn config(options: &JsValue) -> Config {
    let config = Config::default();
    Config {
        idle_close_ms: duration(options, "idleCloseMs", config.idle_close_ms),
        opens_elsewhere_from: property(options, "hostDecryptThreshold").as_f64().map(|bytes| bytes as usize),
        ..config
    }
}

pub(super) fn replay_seconds(options: &JsValue) -> Option<u32> {
    let seconds = property(options, "replaySeconds").as_f64()?;
    Some(u32::try_from(whole(seconds.ceil())).unwrap_or(u32::MAX))
}

/// The whole wait of the call, where it has a limit.
pub(super) fn timeout_ms(options: &JsValue) -> Option<u64> {
    property(options, "timeoutMs").as_f64().map(whole)
}

/// The app's own idempotency id, where it has one.
pub(super) fn idempotency_id(options: &JsValue) -> Option<String> {
    text(options, "idempotencyId")
}

/// The function that is told of the call's number, by which the call can be ended.
pub(super) fn on_started(options: &JsValue) -> Option<js_sys::Function> {
    property(options, "started").dyn_into().ok()
}

/// The app's function for channel tokens, where it has one.
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
    read().ok_or_else(|| invalid_argument("the channel has a wrong shape"))
}

pub(super) fn function(value: JsValue, what: &str) -> Result<js_sys::Function, JsValue> {
    value.dyn_into().map_err(|_| invalid_argument(&[what, " is not a function"].concat()))
}

/// A session grant, read property by property: deriving it with serde would take a tenth of the core.
pub(super) fn grant(value: &JsValue) -> Result<SessionGrant, ClientError> {
    let read = || {
        let grant = plain(value)?;
        let mut context = Scope::default();
        each_text(&property(&grant, "context"), |name, value| context.insert(&name, &value).ok())?;
        Some(SessionGrant {
            url: text(&grant, "url")?,
            token: text(&grant, "token")?,
            expires_at: UnixSeconds(whole(property(&grant, "expiresAt").as_f64()?)),
            app: text(&grant, "app")?,
            installation: text(&grant, "installation")?,
            context,
            keys: list(property(&grant, "keys"))?.iter().map(|key| grant_key(&key)).collect::<Option<_>>()?,
        })
    };
    // Asking the same function again brings the same shape, so the code is not retryable.
    read().ok_or_else(|| {
        ClientError::new(
            Code::InvalidArgument,
            "the session has a wrong shape; mint it with sealwire/resolver",
        )
    })
}

fn grant_key(key: &JsValue) -> Option<GrantKey> {
    Some(GrantKey { id: text(key, "id")?, scopes: text(key, "scopes")? })
}

/// What `session()` or a token function threw or rejected with: an error with one of this protocol's codes keeps it.
pub(super) fn provider_error(thrown: &JsValue) -> ClientError {
    error(thrown, Code::SessionUnavailable, "the app's function failed")
}

/// The reason for which the host could not connect, or a connection ended.
pub(super) fn transport_error(failure: &JsValue) -> ClientError {
    error(failure, Code::Unreachable, "the connection to the relay was lost or could not be made")
}

fn error(thrown: &JsValue, otherwise: Code, unsaid: &str) -> ClientError {
    let message = property(thrown, "message").as_string();
    let message = message.unwrap_or_else(|| unsaid.into());
    let name = property(thrown, "code").as_string();
    let code = Code::ALL.iter().find(|code| name.as_deref() == Some(code.name()));
    let mut error = ClientError::new(code.copied().unwrap_or(otherwise), message);
    error.retry_after_ms = property(thrown, "retryAfterMs")
        .as_f64()
        .map(|after| u32::try_from(whole(after)).unwrap_or(u32::MAX));
    error
}
