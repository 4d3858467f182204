//! The checks of arguments that several functions of the resolver share.

use super::objects::Properties;
use crate::{
    convert::whole,
    error::{invalid_argument, with_code},
};
use sealwire_protocol::{
    Code, Scope, UnixSeconds, check_channel_name, decimal, limits,
    tokens::{Permission, Permissions, SigningKey, TokenError},
};
use wasm_bindgen::JsValue;

pub(super) fn signing_key(text: &str) -> Result<SigningKey, JsValue> {
    SigningKey::parse(text).map_err(|invalid| invalid_argument(&invalid.to_string()))
}

pub(super) fn sized(what: &str, text: &str, max: usize) -> Result<(), JsValue> {
    if (1..=max).contains(&text.len()) {
        Ok(())
    } else {
        let (max, has) = (decimal(max as u64), decimal(text.len() as u64));
        Err(invalid_argument(&[what, " must have 1 to ", &max, " bytes; it has ", &has].concat()))
    }
}

pub(super) fn app_and_installation(app: &str, installation: &str) -> Result<(), JsValue> {
    sized("app", app, limits::MAX_APP)?;
    sized("installation", installation, limits::MAX_INSTALLATION)
}

pub(super) fn channel_name(name: &str) -> Result<(), JsValue> {
    check_channel_name(name).map_err(|invalid| with_code(Code::NameInvalid, &invalid.message()))
}

/// Checks canonical claims. The host writes them, since RFC 8785 is the JSON of JavaScript with sorted names.
pub(super) fn claims_text(claims: &str) -> Result<(), JsValue> {
    if claims.len() > limits::MAX_CLAIMS {
        let max = decimal(limits::MAX_CLAIMS as u64);
        return Err(invalid_argument(&["claims have at most ", &max, " bytes as canonical JSON"].concat()));
    }
    if claims.starts_with('{') { Ok(()) } else { Err(invalid_argument("claims must be a JSON object")) }
}

pub(super) fn scope(properties: &Properties) -> Result<Scope, JsValue> {
    let mut scope = Scope::default();
    for (property, value) in properties {
        scope.insert(property, value).map_err(|invalid| with_code(Code::ScopeRefused, &invalid.message()))?;
    }
    Ok(scope)
}

/// Reads the context of a session. Too many properties get a detailed error, since the app chose them.
pub(super) fn context(properties: &Properties) -> Result<Scope, JsValue> {
    if properties.len() <= limits::MAX_PROPERTIES {
        return scope(properties);
    }
    let (max, has) = (decimal(limits::MAX_PROPERTIES as u64), decimal(properties.len() as u64));
    let message = [
        "the context of a session has at most ",
        &max,
        " properties, because a page holds a key for each combination of them, and this one has ",
        &has,
        "; keep only the properties that the scopes of its channels need",
    ];
    Err(with_code(Code::ScopeRefused, &message.concat()))
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
