//! Recomputes every vector with Sealwire's own code.

use crate::{
    cases::{
        BatchCase, CertificateCase, ChannelCase, CodeCase, EntryCase, FrameCase, IdempotencyCase, KeyCase,
        NameTagCase, SealedCase, TokenCase, TokenVectors, XaesCase, load,
    },
    hex::{array, from_hex, to_hex},
};
use sealwire_protocol::{
    AuthorSignature, Certificate, Certified, ChannelAddress, ChannelKey, Code, EncryptionKey, Entry,
    EntryPlace, Message, NameKind, OpenedMessage, RoutingKey, Scope, ScopeKeys, SealedMessage, SenderId,
    Signature, Stamp, UnixMillis, UnixSeconds, canonical_claims, repeatable_ids, seal,
    tokens::{BackendClaims, ChannelClaims, Claims, Keyring, SessionClaims, SigningKey, verify},
    wire::{Messages, ToClient, ToRelay},
};

/// A vector file and the number of its cases.
#[derive(Debug, PartialEq, Eq)]
pub struct Checked {
    /// The name of the file without `.json`.
    pub file: &'static str,
    /// The number of cases, all of which were recomputed with the expected result.
    pub cases: usize,
}

/// Recomputes every vector.
///
/// # Errors
/// Returns an explanation that names the first case whose result differs.
pub fn check_all() -> Result<Vec<Checked>, String> {
    Ok(vec![
        each::<CodeCase>("codes", code)?,
        each::<XaesCase>("xaes-256-gcm", xaes)?,
        each::<ChannelCase>("channels", channel)?,
        each::<KeyCase>("keys", keys)?,
        each::<NameTagCase>("name-tags", name_tag)?,
        tokens()?,
        each::<SealedCase>("sealed", sealed)?,
        each::<EntryCase>("entries", entry)?,
        each::<IdempotencyCase>("idempotency", idempotency)?,
        each::<FrameCase>("frames", frame)?,
        each::<BatchCase>("batches", batch)?,
    ])
}

fn each<T: serde::de::DeserializeOwned>(
    file: &'static str,
    check: impl Fn(&T) -> Result<(), String>,
) -> Result<Checked, String> {
    let cases: Vec<T> = load(file)?;
    for (index, case) in cases.iter().enumerate() {
        check(case).map_err(|error| format!("{file}.json, case {index}: {error}"))?;
    }
    Ok(Checked { file, cases: cases.len() })
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, computed: &T, expected: &T) -> Result<(), String> {
    if computed == expected { Ok(()) } else { Err(format!("{what} is {computed:?}, not {expected:?}")) }
}

fn code(case: &CodeCase) -> Result<(), String> {
    let code =
        Code::from_number(case.number).ok_or_else(|| format!("no code has the number {}", case.number))?;
    same("the name", &code.name(), &case.name.as_str())?;
    same("the close code", &(code.close_code() as u16), &case.close_code)?;
    same("retry", &code.retryable(), &case.retry)
}

fn xaes(case: &XaesCase) -> Result<(), String> {
    let (key, nonce, aad) = (array(&case.key)?, array(&case.nonce)?, from_hex(&case.aad)?);
    let mut data = from_hex(&case.plaintext)?;
    let key = sealwire_xaes::XaesKey::new(&key);
    let tag = key.encrypt(&nonce, &aad, &mut data);
    same("the ciphertext", &(to_hex(&data) + &to_hex(&tag)), &case.ciphertext_and_tag)?;
    key.decrypt(&nonce, &aad, &mut data, &tag).map_err(|_| "the ciphertext does not decrypt".to_owned())?;
    same("the plaintext", &to_hex(&data), &case.plaintext)
}

fn channel(case: &ChannelCase) -> Result<(), String> {
    let claims_tag = case.claims_tag.as_deref().map(array).transpose()?;
    let address = ChannelAddress {
        app: &case.app,
        installation: &case.installation,
        scope: &case.scope,
        claims_tag: claims_tag.as_ref(),
        name: &case.name,
    };
    same("the channel id", &address.id().to_string(), &case.channel_id)
}

fn keys(case: &KeyCase) -> Result<(), String> {
    let (app, installation, name) = (case.app.as_str(), case.installation.as_str(), case.name.as_str());
    let key = EncryptionKey::new(array(&case.encryption_key)?);
    same("the key id", &to_hex(&key.id().0), &case.key_id)?;
    let scope = case.context.keep(&case.properties).map_err(|error| error.to_string())?;
    let scope_key = key.scope_key(app, installation, &scope);
    same("the scope key", &to_hex(scope_key.as_bytes()), &case.scope_key)?;
    let scope_keys = key.scope_keys(app, installation, &case.context);
    same("the scope keys", &scope_keys.to_text(), &case.scope_keys)?;
    let read = ScopeKeys::parse(key.id(), case.context.clone(), &case.scope_keys)
        .ok_or("the scope keys do not parse")?;
    let granted = read.scope_key(&scope).ok_or("the scope keys have no key of the scope")?;
    same("the key of the scope among the scope keys", granted.as_bytes(), scope_key.as_bytes())?;

    let claims =
        case.claims.as_deref().map(canonical_claims).transpose().map_err(|error| error.to_string())?;
    same("the canonical claims", &claims, &case.canonical_claims)?;
    let routing = RoutingKey::new(array(&case.routing_key)?);
    let tag = claims.as_deref().map(|claims| to_hex(&routing.claims_tag(app, installation, name, claims)));
    same("the claims tag", &tag, &case.claims_tag)?;
    let claims_key = claims.as_deref().map(|claims| key.claims_key(app, installation, name, claims));
    same("the claims key", &claims_key.as_ref().map(|key| to_hex(key.as_bytes())), &case.claims_key)?;

    let channel_key = granted.channel_key(claims_key.as_ref(), name);
    same("the channel key", &to_hex(channel_key.as_bytes()), &case.channel_key)
}

fn name_tag(case: &NameTagCase) -> Result<(), String> {
    let routing = RoutingKey::new(array(&case.routing_key)?);
    let (kind, key) = match case.kind.as_str() {
        "channel" => (NameKind::Channel, routing.name_tag_key(&case.app, &case.installation)),
        "event" => (NameKind::Event, routing.name_tag_key(&case.app, &case.installation)),
        _ => (NameKind::Value(&case.property), routing.value_tag_key(&case.app, &case.installation)),
    };
    same(&case.what, &key.name(kind, &case.tag), &case.name)?;
    let Some(name) = &case.name else { return Ok(()) };
    same(&case.what, &key.tag(kind, name), &Some(case.tag.clone()))
}

fn tokens() -> Result<Checked, String> {
    let vectors: TokenVectors = load("tokens")?;
    let mut keyring = Keyring::default();
    for key in &vectors.keys {
        let signing_key = SigningKey::parse(&key.signing_key).map_err(|error| error.to_string())?;
        keyring.insert(&key.app, signing_key).map_err(|error| error.to_string())?;
    }
    for case in &vectors.cases {
        let check = match case.kind.as_str() {
            "session" => token::<SessionClaims>,
            "channel" => token::<ChannelClaims>,
            _ => token::<BackendClaims>,
        };
        check(case, &keyring).map_err(|error| format!("tokens.json, '{}': {error}", case.what))?;
    }
    Ok(Checked { file: "tokens", cases: vectors.cases.len() })
}

fn token<C: Claims>(case: &TokenCase, keyring: &Keyring) -> Result<(), String> {
    let (claims, refused) = match verify::<C>(&case.token, keyring, UnixSeconds(case.now)) {
        Ok(claims) => (Some(serde_json::to_value(claims).map_err(|error| error.to_string())?), None),
        Err(error) => (None, Some(error.code().name().to_owned())),
    };
    same("the refusal", &refused, &case.refused)?;
    same("the claims", &claims, &case.claims)
}

/// Derives the key of a channel without claims.
fn channel_key(
    encryption_key: &str,
    app: &str,
    installation: &str,
    scope: &Scope,
    name: &str,
) -> Result<ChannelKey, String> {
    let key = EncryptionKey::new(array(encryption_key)?);
    Ok(key.scope_key(app, installation, scope).channel_key(None, name))
}

fn sealed(case: &SealedCase) -> Result<(), String> {
    let (app, installation, scope, name) = (&case.app, &case.installation, &case.scope, &case.name);
    let id = ChannelAddress { app, installation, scope, claims_tag: None, name }.id();
    let mut key = channel_key(&case.encryption_key, app, installation, scope, name)?;
    let bytes = from_hex(&case.sealed)?;
    let opened = SealedMessage::parse(&bytes).and_then(|message| message.open(&mut key, id, &case.event));
    let stamp = Stamp { number: case.number, confirmed: u64::from_be_bytes(array(&case.confirmed)?) };
    let (sender, published_at) = (SenderId(array(&case.sender)?), UnixMillis(case.published_at_ms));
    let signature = author_signature(case.signature.as_ref(), case.certificate.as_ref())?;
    let expected = case.payload.clone().map(|payload| OpenedMessage {
        sender,
        stamp,
        published_at,
        payload,
        signature: signature.clone(),
    });
    // The Debug output of an opened message lacks its payload.
    same("the payload", &opened.as_ref().ok().map(|opened| &opened.payload), &case.payload.as_ref())?;
    same("the opened message", &opened.ok(), &expected)?;
    let Some(payload) = &case.payload else { return Ok(()) };
    let signature = signature.as_ref();
    let message = Message { sender, stamp, published_at, event: &case.event, payload, signature };
    let again = seal(&key, array(&case.random)?, id, &message);
    same("the sealed message", &again.map(|bytes| to_hex(&bytes)), &Ok(case.sealed.clone()))
}

fn entry(case: &EntryCase) -> Result<(), String> {
    let EntryCase { app, installation, scope, name, .. } = case;
    let id = ChannelAddress { app, installation, scope, claims_tag: None, name }.id();
    let key = channel_key(&case.encryption_key, app, installation, scope, name)?;
    let place = EntryPlace { channel: id, member: array(&case.member)?, number: case.number };
    let sealed = from_hex(&case.sealed)?;
    let opened = SealedMessage::parse(&sealed).and_then(|sealed| place.open(&sealed, &key)).ok();
    let Some(data) = &case.data else {
        return same(&case.what, &opened, &None);
    };
    let expected = Entry {
        sealed_at: UnixMillis(case.sealed_at_ms),
        entered_at: UnixMillis(case.entered_at_ms),
        account: case.account.clone(),
        data: data.clone(),
        signature: author_signature(case.signature.as_ref(), case.certificate.as_ref())?,
    };
    same("the sealed entry", &to_hex(&place.seal(&key, array(&case.nonce)?, &expected)), &case.sealed)?;
    same(&case.what, &opened, &Some(expected))
}

fn author_signature(
    signature: Option<&String>,
    certificate: Option<&CertificateCase>,
) -> Result<Option<AuthorSignature>, String> {
    let Some(signature) = signature else { return Ok(None) };
    let certificate = certificate.map(|case| -> Result<Certificate, String> {
        let public_key = &array(&case.public_key)?;
        let certified =
            Certified { public_key, expires_at: UnixMillis(case.expires_at_ms), account: &case.account };
        Ok(certified.sign(Signature(array(&case.signature)?)))
    });
    Ok(Some(AuthorSignature {
        certificate: certificate.transpose()?,
        signature: Signature(array(signature)?),
    }))
}

fn idempotency(case: &IdempotencyCase) -> Result<(), String> {
    let key = channel_key(&case.encryption_key, &case.app, &case.installation, &case.scope, &case.name)?;
    let ids = repeatable_ids(&key, &case.publisher, &case.app_id, &case.event, &case.payload);
    same("the id on the wire", &to_hex(&ids.id), &case.id)?;
    same("the content digest", &to_hex(&ids.content), &case.content)
}

fn frame(case: &FrameCase) -> Result<(), String> {
    let bytes = from_hex(&case.bytes)?;
    let (debug, again) = if case.direction == "to-relay" {
        let message = ToRelay::from_bytes(bytes.into()).map_err(|error| error.to_string())?;
        (format!("{message:?}"), message.to_bytes())
    } else {
        let message = ToClient::from_bytes(bytes.into()).map_err(|error| error.to_string())?;
        (format!("{message:?}"), message.to_bytes())
    };
    same("the message", &debug.split('(').next().unwrap_or_default(), &case.message.as_str())?;
    same("the bytes", &to_hex(&again), &case.bytes)
}

fn batch(case: &BatchCase) -> Result<(), String> {
    let mut messages: Vec<_> = Messages::of(from_hex(&case.bytes)?.into()).collect();
    let broken = messages.pop_if(|last| last.is_err()).is_some();
    let messages: Vec<_> = messages.iter().flatten().map(|message| to_hex(message)).collect();
    same(&case.what, &(messages, broken), &(case.messages.clone(), case.broken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
    #[cfg_attr(not(target_arch = "wasm32"), test)]
    fn every_vector_is_recomputed() {
        let checked = check_all().unwrap();
        assert_eq!(checked.len(), 11);
        assert!(checked.iter().all(|file| file.cases > 1), "{checked:?}");
    }
}
