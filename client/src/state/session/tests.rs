use super::*;
use sealwire_protocol::{UnixMillis, encode_base64url};

const NOW: Now = Now { instant: Instant(0), unix: UnixMillis(1_000_000) };

fn json() -> serde_json::Value {
    let four_keys = encode_base64url([0; 128]);
    serde_json::json!({
        "url": "wss://relay.example/v1/realtime", "token": "a.b.c", "expiresAt": 1900, "issuedAtMs": 1_000_000,
        "app": "app", "installation": "ari:cloud:1", "context": { "issue": "10", "module": "panel" },
        "keys": [{ "id": "AAAAAA", "scopes": four_keys, "signer": "signer" }],
    })
}

fn check(json: serde_json::Value) -> Result<Session, InvalidGrant> {
    Session::check(serde_json::from_value(json).unwrap(), NOW, None).map(|(session, _)| session)
}

fn refused(change: impl FnOnce(&mut serde_json::Value)) -> InvalidGrant {
    let mut json = json();
    change(&mut json);
    check(json).err().expect("a grant that breaks a rule")
}

#[test]
fn a_grant_of_the_resolver_is_accepted() {
    assert_eq!(check(json()).ok().unwrap().remaining_ms(NOW.instant), 900_000);
}

#[test]
fn an_address_without_tls_must_name_this_machine() {
    for url in
        ["ws://localhost:8080/v1/realtime", "ws://127.0.0.1", "ws://[::1]:1/", "wss://r", "wss://r:1?a"]
    {
        assert_eq!(check_url(url), Ok(()), "{url}");
    }
    for url in [
        "",
        "relay",
        "https://relay",
        "wss://",
        "wss:///path",
        "ws://relay",
        "ws://localhost.evil.example",
        "ws://localhost@evil.example",
        "ws://127.0.0.1.nip.io",
        "wss://a b",
        "wss://a\n",
    ] {
        assert_eq!(check_url(url), Err(InvalidGrant::Url), "{url}");
    }
}

#[test]
fn keys_that_do_not_match_the_context_are_refused() {
    let changes: [fn(&mut serde_json::Value); 8] = [
        |json| json["keys"] = serde_json::json!([]),
        |json| json["keys"] = serde_json::json!([json["keys"][0], json["keys"][0]]),
        |json| json["keys"][0]["id"] = "AAAA".into(),
        |json| json["keys"][0]["scopes"] = "".into(),
        |json| json["keys"][0]["scopes"] = encode_base64url([0; 127]).into(),
        |json| json["keys"][0]["scopes"] = encode_base64url([0; 256]).into(),
        |json| json["keys"][0]["scopes"] = "=".repeat(171).into(),
        |json| drop(json["context"].as_object_mut().unwrap().remove("issue")),
    ];
    for change in changes {
        assert_eq!(refused(change), InvalidGrant::Keys);
    }
}

#[test]
fn empty_and_oversized_fields_are_refused() {
    for (field, size) in
        [("token", limits::MAX_TOKEN), ("app", limits::MAX_APP), ("installation", limits::MAX_INSTALLATION)]
    {
        assert_eq!(refused(|json| json[field] = "".into()), InvalidGrant::Size(field));
        assert_eq!(refused(|json| json[field] = "x".repeat(size + 1).into()), InvalidGrant::Size(field));
    }
}

#[test]
fn a_fast_wall_clock_does_not_expire_a_new_session() {
    let mut json = json();
    json["expiresAt"] = 10.into();
    assert!(check(json).ok().unwrap().is_fresh(NOW.instant));
}

#[test]
fn senders_are_distinguished_by_the_subject_of_their_token() {
    let of = |payload: &str| subject(&["e30", &encode_base64url(payload), "c2ln"].join("."));
    let (ada, ben) = (of(r#"{"sub":"ada","exp":1}"#), of(r#"{"exp":1,"sub":"ben"}"#));
    assert_eq!((ada.as_deref(), ben.as_deref()), (Some("ada"), Some("ben")));
    for other in ["", "a", "a.b", "a.!.c", "e30.e30.c2ln"] {
        assert_eq!(subject(other), None, "{other}");
    }
}
