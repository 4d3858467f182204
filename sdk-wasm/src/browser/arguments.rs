//! What JavaScript passes in. The idiomatic API has checked it before; whatever else comes is an error, never a panic.

use crate::{
    convert::{read, whole},
    error::invalid_argument,
};
use js_sys::Reflect;
use sealwire_client::{ChannelSpec, ClientError, Config, GrantKey, Pause, SessionGrant};
use sealwire_protocol::{Code, Scope, UnixSeconds};
use serde::Deserialize;
use wasm_bindgen::{JsCast as _, JsValue};

/// A property of an object; `undefined` where there is none.
fn property(object: &JsValue, name: &str) -> JsValue {
    if object.is_object() {
        Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
    } else {
        JsValue::UNDEFINED
    }
}

fn duration(object: &JsValue, name: &str, otherwise: u64) -> u64 {
    property(object, name).as_f64().map_or(otherwise, whole)
}

pub(super) fn config(options: &JsValue) -> Config {
    let config = Config::default();
    Config {
        request_timeout_ms: duration(options, "requestTimeoutMs", config.request_timeout_ms),
        idle_close_ms: duration(options, "idleCloseMs", config.idle_close_ms),
        ..config
    }
}

pub(super) fn replay_seconds(options: &JsValue) -> Option<u32> {
    let seconds = property(options, "replaySeconds").as_f64()?;
    Some(u32::try_from(whole(seconds.ceil())).unwrap_or(u32::MAX))
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
    #[derive(Deserialize)]
    struct Spec {
        name: String,
        scope: Option<Vec<String>>,
        token: Option<String>,
    }
    let Spec { name, scope, token } = read(spec, "the channel")?;
    Ok(ChannelSpec { name, scope, token })
}

pub(super) fn function(value: JsValue, what: &str) -> Result<js_sys::Function, JsValue> {
    value.dyn_into().map_err(|_| invalid_argument(&[what, " is not a function"].concat()))
}

/// A session grant. The one number in it is read apart: parsing numbers out of JSON text would take a tenth of the core.
pub(super) fn grant(value: &JsValue) -> Result<SessionGrant, ClientError> {
    #[derive(Deserialize)]
    struct Grant {
        url: String,
        token: String,
        app: String,
        installation: String,
        context: Scope,
        keys: Vec<GrantKey>,
    }
    let wrong = || {
        ClientError::new(
            Code::SessionUnavailable,
            "the session has a wrong shape; mint it with sealwire/resolver",
        )
    };
    let expires_at = property(value, "expiresAt").as_f64().ok_or_else(wrong)?;
    let Grant { url, token, app, installation, context, keys } =
        read(value, "the session").map_err(|_| wrong())?;
    let expires_at = UnixSeconds(whole(expires_at));
    Ok(SessionGrant { url, token, expires_at, app, installation, context, keys })
}

/// What `session()` or a token function threw or rejected with: an error with one of this protocol's codes keeps it.
pub(super) fn provider_error(thrown: &JsValue) -> ClientError {
    let message = property(thrown, "message").as_string();
    let message = message.unwrap_or_else(|| "the app's function failed".into());
    let name = property(thrown, "code").as_string();
    let code = Code::ALL.iter().find(|code| name.as_deref() == Some(code.name()));
    let mut error = ClientError::new(code.copied().unwrap_or(Code::SessionUnavailable), message);
    error.retry_after_ms = property(thrown, "retryAfterMs")
        .as_f64()
        .map(|after| u32::try_from(whole(after)).unwrap_or(u32::MAX));
    error
}
