//! Signing of session, channel and backend tokens.

use super::{
    inputs::{
        app_and_installation, channel_name, claims_text, context, permissions, signing_key, sized,
        token_error, validity,
    },
    message::signature,
    names::Names,
    objects::{
        Properties, flag, number, optional_number, optional_text, permission_list, properties, read, write,
    },
    secret::{Secret, SigningKey, malformed_secret},
};
use crate::{
    convert::whole,
    error::invalid_argument,
    fields::{optional, property, text},
};
use js_sys::Function;
use sealwire_protocol::{
    Certificate, Certified, ClaimsKeyring, EncryptionKey, Scope, UnixSeconds, decode_base64url, limits,
    tokens::{self, BackendClaims, ChannelClaims, Permission, Permissions, SessionClaims},
};
use serde::Serialize;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

struct SessionInput {
    signing_key: String,
    app: String,
    installation: String,
    account: String,
    context: Properties,
    can: Vec<Permission>,
    lifetime_seconds: Option<f64>,
    now_seconds: f64,
    blind_names: bool,
    /// The public key to certify for the account, as a point of P-256 without compression, in base64url.
    public_key: Option<String>,
}

impl SessionInput {
    fn fields(input: &JsValue) -> Option<Self> {
        Some(Self {
            signing_key: text(input, "signingKey")?,
            app: text(input, "app")?,
            installation: text(input, "installation")?,
            account: text(input, "account")?,
            context: properties(&property(input, "context"))?,
            can: permission_list(property(input, "can"))?,
            lifetime_seconds: optional_number(input, "lifetimeSeconds")?,
            now_seconds: number(input, "nowSeconds")?,
            blind_names: flag(input, "blindNames")?,
            public_key: optional_text(input, "publicKey")?,
        })
    }
}

/// A session grant without the URL of the relay, which `js` adds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewSession {
    token: String,
    expires_at: UnixSeconds,
    app: String,
    installation: String,
    context: Scope,
    keys: Vec<SessionKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_tag_key: Option<String>,
}

#[derive(Serialize)]
struct SessionKey {
    id: String,
    scopes: String,
    signer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
}

struct ChannelInput {
    signing_key: String,
    app: String,
    installation: String,
    channel: String,
    /// The claims as canonical JSON (RFC 8785).
    claims: String,
    can: Option<Vec<Permission>>,
    lifetime_seconds: Option<f64>,
    now_seconds: f64,
    blind_names: bool,
}

impl ChannelInput {
    fn fields(input: &JsValue) -> Option<Self> {
        Some(Self {
            signing_key: text(input, "signingKey")?,
            app: text(input, "app")?,
            installation: text(input, "installation")?,
            channel: text(input, "channel")?,
            claims: text(input, "claims")?,
            can: optional(input, "can", permission_list)?,
            lifetime_seconds: optional_number(input, "lifetimeSeconds")?,
            now_seconds: number(input, "nowSeconds")?,
            blind_names: flag(input, "blindNames")?,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChannelToken {
    token: String,
    expires_at: UnixSeconds,
}

struct BackendInput {
    signing_key: String,
    app: String,
    installation: String,
    now_seconds: f64,
}

impl BackendInput {
    fn fields(input: &JsValue) -> Option<Self> {
        Some(Self {
            signing_key: text(input, "signingKey")?,
            app: text(input, "app")?,
            installation: text(input, "installation")?,
            now_seconds: number(input, "nowSeconds")?,
        })
    }
}

/// Creates a session for one account in one context, with the keys of that context and no others. With `blindNames`, the
/// context of the session and of its token has the tags of the values, and the session has the key of other names' tags. If
/// `input` has a `publicKey`, `sign`, which is the same as for `seal`, certifies under each encryption key that the public key
/// belongs to the account for the lifetime of the session.
///
/// # Errors
/// An error if an argument is invalid, or the error of `sign`.
#[wasm_bindgen(js_name = mintSession)]
pub fn mint_session(input: &JsValue, secret: &JsValue, sign: Option<Function>) -> Result<JsValue, JsValue> {
    let input = read(input, "the session", SessionInput::fields)?;
    let secret = Secret::read(secret, whole(input.now_seconds))?;
    let signing_key = signing_key(&input.signing_key)?;
    let SessionInput { app, installation, account, .. } = input;
    app_and_installation(&app, &installation)?;
    sized("account", &account, limits::MAX_ACCOUNT)?;
    let names = Names::new(&secret, &app, &installation, input.blind_names);
    let context = names.scope(context(&input.context)?)?;
    let validity = validity(input.now_seconds, input.lifetime_seconds, limits::DEFAULT_TOKEN_LIFETIME);
    let can = permissions(input.can)?;
    let public_key = input.public_key.as_deref().map(public_key).transpose()?;
    let certificate = |signing: &SigningKey| -> Result<Option<String>, JsValue> {
        let (Some(public_key), Some(sign)) = (public_key, &sign) else { return Ok(None) };
        let certified =
            Certified { public_key: &public_key, expires_at: validity.1.millis(), account: &account };
        let signature = signature(sign, &certified.text(&app, &installation), signing)?;
        Ok(Some(certified.sign(signature).to_base64url()))
    };
    let session_key = |(key, signing): &(EncryptionKey, SigningKey)| {
        let keys = key.scope_keys(&app, &installation, &context);
        Ok(SessionKey {
            id: keys.id().to_string(),
            scopes: keys.to_text(),
            signer: signing.public().ok_or_else(malformed_secret)?,
            certificate: certificate(signing)?,
        })
    };
    let keys = secret.keys.iter().map(session_key).collect::<Result<_, JsValue>>()?;
    let claims =
        SessionClaims::new(app.clone(), installation.clone(), account, context.clone(), can, validity);
    let token = tokens::sign(&claims, &signing_key).map_err(token_error)?;
    let name_tag_key = names.key_of_pages();
    write(&NewSession { token, expires_at: validity.1, app, installation, context, keys, name_tag_key })
}

/// Reads a public key: a point of P-256 without compression, in base64url.
fn public_key(text: &str) -> Result<[u8; Certificate::PUBLIC_KEY_LEN], JsValue> {
    let bytes =
        decode_base64url(text).and_then(|bytes| <[u8; Certificate::PUBLIC_KEY_LEN]>::try_from(bytes).ok());
    bytes.filter(|bytes| bytes[0] == 4).ok_or_else(|| {
        invalid_argument("publicKey is not a point of P-256 without compression, 65 bytes in base64url")
    })
}

/// Signs a channel token: the token for the relay, followed by the claims key under each encryption key. With `blindNames`, it
/// is for the tag of the channel name.
///
/// # Errors
/// An error if an argument is invalid.
#[wasm_bindgen(js_name = signChannelToken)]
pub fn sign_channel_token(input: &JsValue, secret: &JsValue) -> Result<JsValue, JsValue> {
    let input = read(input, "the channel token", ChannelInput::fields)?;
    let secret = Secret::read(secret, whole(input.now_seconds))?;
    let signing_key = signing_key(&input.signing_key)?;
    let ChannelInput { app, installation, channel, .. } = input;
    app_and_installation(&app, &installation)?;
    channel_name(&channel)?;
    let channel = Names::new(&secret, &app, &installation, input.blind_names).channel(&channel)?;
    let claims = input.claims;
    claims_text(&claims)?;
    let can = input.can.map_or(Ok(Permissions::MESSAGES), permissions)?;
    let validity = validity(input.now_seconds, input.lifetime_seconds, limits::DEFAULT_TOKEN_LIFETIME);
    let tag = secret.routing.claims_tag(&app, &installation, &channel, &claims);
    let keys: Vec<_> = secret
        .keys
        .iter()
        .map(|(key, _)| (key.id(), key.claims_key(&app, &installation, &channel, &claims)))
        .collect();
    let claims = ChannelClaims::new(app, installation, channel, tag, can, validity);
    let jwt = tokens::sign(&claims, &signing_key).map_err(token_error)?;
    let token = ClaimsKeyring::write(&jwt, keys.iter().map(|(id, key)| (*id, key)));
    write(&ChannelToken { token, expires_at: validity.1 })
}

/// Signs a backend token, with which a resolver may publish for one installation for five minutes.
///
/// # Errors
/// An error if an argument is invalid.
#[wasm_bindgen(js_name = mintBackendToken)]
pub fn mint_backend_token(input: &JsValue) -> Result<String, JsValue> {
    let input = read(input, "the backend token", BackendInput::fields)?;
    let signing_key = signing_key(&input.signing_key)?;
    app_and_installation(&input.app, &input.installation)?;
    let validity = validity(input.now_seconds, None, limits::MAX_BACKEND_TOKEN_LIFETIME);
    tokens::sign(&BackendClaims::new(input.app, input.installation, validity), &signing_key)
        .map_err(token_error)
}
