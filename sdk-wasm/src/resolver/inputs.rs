//! The checks of arguments that several functions of the resolver share.

use crate::{
    convert::whole,
    error::{invalid_argument, with_code},
};
use sealwire_protocol::{
    Code, Scope, UnixSeconds, check_channel_name, limits,
    tokens::{Permission, Permissions, SigningKey, TokenError},
};
use std::collections::BTreeMap;
use wasm_bindgen::JsValue;

pub(super) fn signing_key(text: &str) -> Result<SigningKey, JsValue> {
    SigningKey::parse(text).map_err(|invalid| invalid_argument(&invalid.to_string()))
}

pub(super) fn text(what: &str, text: &str, max: usize) -> Result<(), JsValue> {
    if (1..=max).contains(&text.len()) {
        Ok(())
    } else {
        Err(invalid_argument(&format!("{what} must have 1 to {max} bytes; it has {}", text.len())))
    }
}

pub(super) fn app_and_installation(app: &str, installation: &str) -> Result<(), JsValue> {
    text("app", app, limits::MAX_APP)?;
    text("installation", installation, limits::MAX_INSTALLATION)
}

pub(super) fn channel_name(name: &str) -> Result<(), JsValue> {
    check_channel_name(name).map_err(|invalid| with_code(Code::NameInvalid, &invalid.to_string()))
}

pub(super) fn scope(properties: &BTreeMap<String, String>) -> Result<Scope, JsValue> {
    let mut scope = Scope::default();
    for (property, value) in properties {
        scope
            .insert(property, value)
            .map_err(|invalid| with_code(Code::ScopeRefused, &invalid.to_string()))?;
    }
    Ok(scope)
}

/// Reads the context of a session. Too many properties get a detailed error, since the app chose them.
pub(super) fn context(properties: &BTreeMap<String, String>) -> Result<Scope, JsValue> {
    if properties.len() <= limits::MAX_PROPERTIES {
        return scope(properties);
    }
    let message = format!(
        "the context of a session has at most {} properties, because a page holds a key for each combination of them, \
         and this one has {}; keep only the properties that the scopes of its channels need",
        limits::MAX_PROPERTIES,
        properties.len()
    );
    Err(with_code(Code::ScopeRefused, &message))
}

pub(super) fn permissions(can: Vec<Permission>) -> Result<Permissions, JsValue> {
    Permissions::try_from(can).map_err(invalid_argument)
}

/// Returns the time of issue and the time of expiry of a token.
pub(super) fn validity(
    now_seconds: f64,
    lifetime_seconds: Option<f64>,
    default: u64,
) -> (UnixSeconds, UnixSeconds) {
    let now = whole(now_seconds);
    (UnixSeconds(now), UnixSeconds(now.saturating_add(lifetime_seconds.map_or(default, whole))))
}

pub(super) fn token_error(error: TokenError) -> JsValue {
    let message = match error {
        TokenError::Malformed => "the token would be longer than allowed; pass a smaller context".to_owned(),
        error => error.to_string(),
    };
    with_code(error.code(), &message)
}
