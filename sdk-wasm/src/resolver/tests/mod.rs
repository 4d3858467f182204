//! Tests of the resolver's functions through their JavaScript interface.
#![allow(clippy::unwrap_used, reason = "clippy does not recognise wasm_bindgen_test as a test")]

use super::{
    mint_backend_token, mint_session, new_installation_secret, rotate, seal, settle, sign_channel_token,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use js_sys::{Function, JSON};
use sealwire_protocol::{
    ChannelAddress, ClaimsKeyring, EncryptionKey, OpenedMessage, Scope, SealedMessage, Signature,
    UnixSeconds, decode_base64url,
    tokens::{BackendClaims, ChannelClaims, Claims, Keyring, SessionClaims, SigningKey, verify},
};
use serde_json::{Value, json};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

mod rotation;

const NOW: f64 = 1_800_000_000.0;

fn js(value: &Value) -> JsValue {
    JSON::parse(&value.to_string()).unwrap()
}

fn rust(value: &JsValue) -> Value {
    serde_json::from_str(&JSON::stringify(value).unwrap().as_string().unwrap()).unwrap()
}

fn signing_key() -> String {
    format!("key-1.{}", sealwire_protocol::encode_base64url([9; 64]))
}

fn verified<C: Claims>(token: &str) -> C {
    let mut keyring = Keyring::default();
    keyring.insert("app", SigningKey::parse(&signing_key()).unwrap()).unwrap();
    verify(token, &keyring, UnixSeconds(1_800_000_100)).unwrap()
}

/// A key pair. Nothing checks in these tests that the point is on the curve.
fn signing() -> JsValue {
    let number = |byte: u8| sealwire_protocol::encode_base64url([byte; 32]);
    js(&json!({ "d": number(1), "x": number(2), "y": number(3) }))
}

fn secret() -> JsValue {
    new_installation_secret(NOW, &signing()).unwrap()
}

fn newest_key(secret: &JsValue) -> EncryptionKey {
    let key = decode_base64url(rust(secret)["keys"][0]["key"].as_str().unwrap()).unwrap();
    EncryptionKey::new(key.try_into().unwrap())
}

fn session_input() -> Value {
    json!({
        "signingKey": signing_key(), "app": "app", "installation": "site", "account": "account",
        "context": { "issue": "10", "module": "panel" }, "can": ["subscribe", "publish"], "nowSeconds": NOW,
    })
}

fn channel_input() -> Value {
    json!({
        "signingKey": signing_key(), "app": "app", "installation": "site", "channel": "chat",
        "claims": r#"{"a":2,"b":1}"#, "nowSeconds": NOW + 0.75,
    })
}

fn message_input() -> Value {
    json!({
        "app": "app", "installation": "site", "scope": { "issue": "10" }, "channel": "chat", "event": "added",
        "payload": r#"{"a":"ä"}"#, "nowMs": 1_800_000_000_123.0,
    })
}

#[wasm_bindgen_test]
fn a_new_secret_has_random_keys() {
    let (one, other) = (rust(&secret()), rust(&secret()));
    assert_eq!(one["version"], 1);
    assert_eq!(one["keys"].as_array().unwrap().len(), 1);
    assert_eq!(one["keys"][0]["createdAt"], 1_800_000_000);
    for pointer in ["/routing", "/keys/0/key"] {
        let (one, other) = (one.pointer(pointer).unwrap(), other.pointer(pointer).unwrap());
        assert_eq!(decode_base64url(one.as_str().unwrap()).unwrap().len(), 32);
        assert_ne!(one, other);
    }
    assert_ne!(one["routing"], one["keys"][0]["key"]);
}

#[wasm_bindgen_test]
fn a_session_has_a_valid_token_and_the_keys_of_its_context() {
    let secret = rotate(&secret(), NOW, &signing()).unwrap();
    let grant = rust(&mint_session(&js(&session_input()), &secret, None).unwrap());
    let claims: SessionClaims = verified(grant["token"].as_str().unwrap());
    assert_eq!((claims.sub.as_str(), claims.ins.as_str(), claims.exp.0), ("account", "site", 1_800_000_900));
    assert_eq!(grant["expiresAt"], 1_800_000_900_u64);
    assert_eq!(grant["context"], json!({ "issue": "10", "module": "panel" }));
    assert_eq!(grant["keys"].as_array().unwrap().len(), 2);

    let context: Scope = serde_json::from_value(grant["context"].clone()).unwrap();
    let keys = newest_key(&secret).scope_keys("app", "site", &context);
    assert_eq!(grant["keys"][0]["id"], keys.id().to_string());
    assert_eq!(grant["keys"][0]["scopes"], keys.to_text());
    assert_eq!(keys.iter().len(), 4);
}

#[wasm_bindgen_test]
fn a_channel_token_contains_only_the_tag_of_its_claims() {
    let secret = secret();
    let sign = |claims: &str| {
        let mut input = channel_input();
        input["claims"] = claims.into();
        let token = rust(&sign_channel_token(&js(&input), &secret).unwrap());
        ClaimsKeyring::parse(token["token"].as_str().unwrap()).unwrap()
    };
    let keyring = sign(r#"{"a":2,"b":1}"#);
    let claims: ChannelClaims = verified(&keyring.jwt);
    assert_eq!((claims.ch.as_str(), claims.tag, claims.exp.0), ("chat", keyring.tag, 1_800_000_900));
    assert!(keyring.find(newest_key(&secret).id()).is_some());
    assert_ne!(sign("{}").tag, keyring.tag);
}

#[wasm_bindgen_test]
fn a_backend_token_expires_after_five_minutes() {
    let input =
        json!({ "signingKey": signing_key(), "app": "app", "installation": "site", "nowSeconds": NOW });
    let claims: BackendClaims = verified(&mint_backend_token(&js(&input)).unwrap());
    assert_eq!((claims.ins.as_str(), claims.exp.0), ("site", 1_800_000_300));
}

fn opened(secret: &JsValue, name: &str, sealed: &[u8]) -> OpenedMessage {
    let mut scope = Scope::default();
    scope.insert("issue", "10").unwrap();
    let address = ChannelAddress { app: "app", installation: "site", scope: &scope, claims_tag: None, name };
    let mut key = newest_key(secret).scope_key("app", "site", &scope).channel_key(None, name);
    SealedMessage::parse(sealed).unwrap().open(&mut key, address.id(), "added").unwrap()
}

#[wasm_bindgen_test]
fn a_sealed_message_opens_with_the_channels_key() {
    let secret = secret();
    let output = rust(&seal(&js(&message_input()), &secret, None).unwrap());
    assert_eq!(decode_base64url(output["id"].as_str().unwrap()).unwrap().len(), 16);
    let sealed = STANDARD.decode(output["sealed"].as_str().unwrap()).unwrap();
    let opened = opened(&secret, "chat", &sealed);
    assert_eq!((opened.payload.as_str(), opened.published_at.0), (r#"{"a":"ä"}"#, 1_800_000_000_123));
}

#[wasm_bindgen_test]
fn a_message_has_the_signature_of_the_host() {
    let secret = secret();
    let sign = |body: &str| Some(Function::new_with_args("text, key", body));
    let output = seal(&js(&message_input()), &secret, sign("return new Uint8Array(64).fill(key.d.length)"));
    let sealed = STANDARD.decode(rust(&output.unwrap())["sealed"].as_str().unwrap()).unwrap();
    assert_eq!(opened(&secret, "chat", &sealed).signature, Some(Signature([43; 64]).into()));
    for (body, message) in [
        ("return new Uint8Array(63)", "64 bytes"),
        ("return 'signature'", "64 bytes"),
        ("throw { message: 'no algorithm' }", "no algorithm"),
    ] {
        let error = rust(&seal(&js(&message_input()), &secret, sign(body)).unwrap_err());
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
    }
}

#[wasm_bindgen_test]
fn a_malformed_signing_key_is_refused() {
    for key in [json!({}), json!({ "d": "AA", "x": "AA", "y": "AA" }), json!(null)] {
        let error = rust(&new_installation_secret(NOW, &js(&key)).unwrap_err());
        assert_eq!(error["code"], "INVALID_ARGUMENT", "{error}");
    }
}

#[wasm_bindgen_test]
fn a_retry_under_the_same_app_chosen_id_has_the_same_ids_and_another_message_another_content() {
    let secret = secret();
    let sealed = |id: &str, payload: &str| {
        let mut input = message_input();
        input["idempotencyId"] = id.into();
        input["payload"] = payload.into();
        seal(&js(&input), &secret, None)
    };
    let first = rust(&sealed("job-1", "1").unwrap());
    let again = rust(&sealed("job-1", "1").unwrap());
    assert_eq!((&again["id"], &again["content"]), (&first["id"], &first["content"]));
    assert_ne!(again["sealed"], first["sealed"]);
    let changed = rust(&sealed("job-1", "2").unwrap());
    assert!(changed["id"] == first["id"] && changed["content"] != first["content"]);
    assert_ne!(rust(&sealed("job-2", "1").unwrap())["id"], first["id"]);
    for id in ["", &"x".repeat(256)] {
        assert_eq!(rust(&sealed(id, "1").unwrap_err())["code"], "INVALID_ARGUMENT");
    }
}

#[wasm_bindgen_test]
fn the_messages_of_a_process_name_those_that_the_relay_accepted() {
    let secret = secret();
    let sealed = |id: Option<&str>| {
        let mut input = message_input();
        input["channel"] = "numbers".into();
        if let Some(id) = id {
            input["idempotencyId"] = id.into();
        }
        let output = rust(&seal(&js(&input), &secret, None).unwrap());
        let ticket = u32::try_from(output["ticket"].as_u64().unwrap()).unwrap();
        let sealed = STANDARD.decode(output["sealed"].as_str().unwrap()).unwrap();
        (ticket, opened(&secret, "numbers", &sealed))
    };
    let (first, message) = sealed(None);
    let sender = message.sender;
    assert_eq!(message.stamp.number, 1);
    settle(first, true);
    let (refused, message) = sealed(None);
    assert_eq!((message.sender, message.stamp.number, message.stamp.confirmed), (sender, 2, 0b1));
    settle(refused, false);
    let (repeatable, _) = sealed(Some("job-1"));
    settle(repeatable, true);
    let (_, message) = sealed(None);
    assert_eq!((message.stamp.number, message.stamp.confirmed), (4, 0b100));
}

#[wasm_bindgen_test]
fn a_message_for_a_channel_with_claims_is_sealed_under_a_key_of_its_token() {
    let secret = secret();
    let token = rust(&sign_channel_token(&js(&channel_input()), &secret).unwrap())["token"].clone();
    let keyring = ClaimsKeyring::parse(token.as_str().unwrap()).unwrap();
    let mut input = message_input();
    input["token"] = token;
    // The token lacks the newest key, so an older key seals the message.
    let secret = rotate(&secret, NOW, &signing()).unwrap();
    let output = rust(&seal(&js(&input), &secret, None).unwrap());
    let sealed = STANDARD.decode(output["sealed"].as_str().unwrap()).unwrap();
    let sealed = SealedMessage::parse(&sealed).unwrap();
    assert!(keyring.find(sealed.key_id()).is_some());

    input["token"] = Value::Null;
    let output = rust(&seal(&js(&input), &secret, None).unwrap());
    let sealed = STANDARD.decode(output["sealed"].as_str().unwrap()).unwrap();
    assert_eq!(SealedMessage::parse(&sealed).unwrap().key_id(), newest_key(&secret).id());
}

#[wasm_bindgen_test]
fn invalid_input_is_a_plain_error_with_a_code_and_without_secrets() {
    let secret = secret();
    let change = |input: fn() -> Value, pointer: &str, value: Value| {
        let mut input = input();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        input.pointer_mut(parent).unwrap()[field] = value;
        js(&input)
    };
    let session =
        |pointer: &str, value: Value| mint_session(&change(session_input, pointer, value), &secret, None);
    let channel =
        |pointer: &str, value: Value| sign_channel_token(&change(channel_input, pointer, value), &secret);
    let message = |pointer: &str, value: Value| seal(&change(message_input, pointer, value), &secret, None);
    let long = "x".repeat(300);
    let properties = |count: usize| (0..count).map(|n| (format!("p{n}"), json!("1"))).collect::<Value>();
    assert!(session("/context", properties(8)).is_ok() && message("/scope", properties(8)).is_ok());
    for (result, code) in [
        (mint_session(&JsValue::UNDEFINED, &secret, None), "INVALID_ARGUMENT"),
        (mint_session(&js(&session_input()), &JsValue::NULL, None), "INVALID_ARGUMENT"),
        (
            mint_session(
                &js(&session_input()),
                &js(&json!({ "version": 1, "routing": "", "keys": [] })),
                None,
            ),
            "INVALID_ARGUMENT",
        ),
        (session("/signingKey", "key.short".into()), "INVALID_ARGUMENT"),
        (session("/signingKey", 7.into()), "INVALID_ARGUMENT"),
        (session("/app", "".into()), "INVALID_ARGUMENT"),
        (session("/installation", long.clone().into()), "INVALID_ARGUMENT"),
        (session("/account", "".into()), "INVALID_ARGUMENT"),
        (session("/context/bad name", "1".into()), "SCOPE_REFUSED"),
        (session("/context/issue", "".into()), "SCOPE_REFUSED"),
        (session("/context", properties(9)), "SCOPE_REFUSED"),
        (message("/scope", properties(9)), "SCOPE_REFUSED"),
        (session("/context/issue", 10.into()), "INVALID_ARGUMENT"),
        (session("/can", json!(["publish", "publish"])), "INVALID_ARGUMENT"),
        (session("/can", json!(["admin"])), "INVALID_ARGUMENT"),
        (session("/lifetimeSeconds", 86_401.into()), "TOKEN_LIFETIME"),
        (session("/lifetimeSeconds", 0.into()), "TOKEN_LIFETIME"),
        (session("/lifetimeSeconds", (-5).into()), "TOKEN_LIFETIME"),
        (channel("/channel", "".into()), "NAME_INVALID"),
        (channel("/claims", "[1]".into()), "INVALID_ARGUMENT"),
        (channel("/claims", json!({ "a": "x".repeat(5000) }).to_string().into()), "INVALID_ARGUMENT"),
        (message("/channel", long.clone().into()), "NAME_INVALID"),
        (message("/event", long.into()), "NAME_INVALID"),
        (message("/payload", "1".repeat(128 * 1024 + 1).into()), "MESSAGE_SIZE"),
        (message("/token", "a.b.c".into()), "TOKEN_MALFORMED"),
        (message("/nowMs", "now".into()), "INVALID_ARGUMENT"),
        (rotate(&js(&json!({})), NOW, &signing()), "INVALID_ARGUMENT"),
    ] {
        let error = rust(&result.unwrap_err());
        let message = error["message"].as_str().unwrap();
        assert_eq!(error["code"], code, "{message}");
        assert!(message.len() > 10 && !message.contains("xxx") && !message.contains("short"), "{message}");
    }
}

#[wasm_bindgen_test]
fn input_whose_getters_throw_is_an_error() {
    let hostile =
        Function::new_no_args("return { get app() { throw new Error('x') }, toJSON() { throw 1 } }");
    let hostile = hostile.call0(&JsValue::UNDEFINED).unwrap();
    assert_eq!(rust(&mint_session(&hostile, &secret(), None).unwrap_err())["code"], "INVALID_ARGUMENT");
    let cyclic = Function::new_no_args("const o = {}; o.o = o; return o").call0(&JsValue::UNDEFINED).unwrap();
    assert_eq!(rust(&seal(&cyclic, &secret(), None).unwrap_err())["code"], "INVALID_ARGUMENT");
}
