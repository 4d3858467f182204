//! Writes the vector files anew: `cargo run -p sealwire-vectors --example write`. A changed file means that the
//! protocol has changed.

use sealwire_protocol::{
    ChannelAddress, ChannelId, ClaimsKey, Code, EncryptionKey, RoutingKey, Scope, UnixMillis, UnixSeconds,
    canonical_claims, encode_base64url, limits, seal,
    tokens::{BackendClaims, ChannelClaims, Permissions, SessionClaims, SigningKey, sign},
    wire::{
        Channel, End, Ended, Failed, Goodbye, Hello, Ping, Pong, Position, Publication, Publish, Published,
        Refresh, Refreshed, Session, Since, Subscribe, Subscribed, ToClient, ToRelay, Unsubscribe,
        Unsubscribed, Welcome,
    },
};
use sealwire_vectors::{
    AppKey, BatchCase, ChannelCase, CodeCase, FrameCase, KeyCase, SealedCase, TokenCase, TokenVectors,
    XaesCase, to_hex,
};

const APP: &str = "team-dashboard";
const SITE: &str = "ari:cloud:jira::site/11111111-2222-3333-4444-555555555555";
const NOW: u64 = 1_800_000_000;

fn main() -> std::io::Result<()> {
    write("codes", &codes())?;
    write("xaes-256-gcm", &xaes())?;
    write("channels", &channels())?;
    write("keys", &keys())?;
    write("tokens", &tokens())?;
    write("sealed", &sealed())?;
    write("frames", &frames())?;
    write("batches", &batches())
}

fn write(name: &str, cases: &impl serde::Serialize) -> std::io::Result<()> {
    let text = serde_json::to_string_pretty(cases)? + "\n";
    std::fs::write(format!("{}/{name}.json", env!("CARGO_MANIFEST_DIR")), text)
}

fn scope(pairs: &[(&str, &str)]) -> Scope {
    let mut scope = Scope::default();
    for (property, value) in pairs {
        scope.insert(property, value).expect("the scopes below are within the limits");
    }
    scope
}

/// The bytes 0, 1, 2, … plus `first`.
fn counting<const N: usize>(first: u8) -> [u8; N] {
    std::array::from_fn(|index| first.wrapping_add(u8::try_from(index % 256).unwrap_or_default()))
}

fn codes() -> Vec<CodeCase> {
    let case = |code: &Code| CodeCase {
        number: code.number(),
        name: code.name().into(),
        close_code: code.close_code() as u16,
        retry: code.retryable(),
    };
    Code::ALL.iter().map(case).collect()
}

fn xaes() -> Vec<XaesCase> {
    let case = |key: u8, aad: &str, ciphertext_and_tag: &str| XaesCase {
        key: to_hex(&[key; 32]),
        nonce: to_hex(b"ABCDEFGHIJKLMNOPQRSTUVWX"),
        aad: to_hex(aad.as_bytes()),
        plaintext: to_hex(b"XAES-256-GCM"),
        ciphertext_and_tag: ciphertext_and_tag.into(),
    };
    vec![
        case(1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        case(3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
    ]
}

fn channels() -> Vec<ChannelCase> {
    let case = |pairs: &[(&str, &str)], claims_tag: Option<[u8; 32]>, name: &str| {
        let scope = scope(pairs);
        let address = ChannelAddress {
            app: APP,
            installation: SITE,
            scope: &scope,
            claims_tag: claims_tag.as_ref(),
            name,
        };
        ChannelCase {
            app: APP.into(),
            installation: SITE.into(),
            channel_id: address.id().to_string(),
            claims_tag: claims_tag.map(|tag| to_hex(&tag)),
            name: name.into(),
            scope,
        }
    };
    vec![
        case(&[], None, "absences"),
        case(&[("dashboard", "10001")], None, "absences"),
        case(&[("dashboard", "10001"), ("gadget", "10100"), ("module", "absences-gadget")], None, "absences"),
        case(&[("dashboard", "10001")], Some(counting(0)), "absences"),
        case(&[("space", "Zürich ✓")], None, "Über uns 🔔"),
    ]
}

fn keys() -> Vec<KeyCase> {
    let panel = scope(&[("issue", "10042"), ("module", "panel"), ("project", "10000")]);
    // Properties are sorted by their bytes, so that capitals come first.
    let capital = scope(&[("area", "Zürich ✓"), ("Zone", "2")]);
    let case = |context: &Scope, properties: &[&str], claims: Option<&str>| {
        let (key, routing) = (EncryptionKey::new(counting(0)), RoutingKey::new(counting(100)));
        let canonical = claims.map(|claims| canonical_claims(claims).expect("the claims below are objects"));
        let claims_key = canonical.as_deref().map(|claims| key.claims_key(APP, SITE, "chat", claims));
        let kept = context.keep(properties).expect("the properties below are in the context");
        let scope_key = key.scope_key(APP, SITE, &kept);
        KeyCase {
            app: APP.into(),
            installation: SITE.into(),
            encryption_key: to_hex(&counting::<32>(0)),
            routing_key: to_hex(&counting::<32>(100)),
            context: context.clone(),
            properties: properties.iter().map(|&property| property.into()).collect(),
            name: "chat".into(),
            claims: claims.map(Into::into),
            key_id: to_hex(&key.id().0),
            scope_keys: key.scope_keys(APP, SITE, context).to_text(),
            scope_key: to_hex(scope_key.as_bytes()),
            claims_tag: canonical
                .as_deref()
                .map(|claims| to_hex(&routing.claims_tag(APP, SITE, "chat", claims))),
            canonical_claims: canonical,
            claims_key: claims_key.as_ref().map(ClaimsKey::as_bytes).map(|key| to_hex(key)),
            channel_key: to_hex(scope_key.channel_key(claims_key.as_ref(), "chat").as_bytes()),
        }
    };
    vec![
        case(&panel, &["issue", "module", "project"], None),
        case(&panel, &["project", "issue"], None),
        case(&panel, &[], None),
        case(&capital, &["area"], None),
        case(&capital, &["area", "Zone"], None),
        case(&Scope::default(), &[], None),
        case(&panel, &["issue"], Some(r#"{ "team": "blue", "level": 3.0 }"#)),
        case(
            &panel,
            &[],
            Some(r#"{"€":"Euro","\r":"CR","1":"One","😀":"Smile","a":[1e21,-0,0.1,{"b":null}]}"#),
        ),
    ]
}

fn tokens() -> TokenVectors {
    let key = |text: String| SigningKey::parse(&text).expect("the keys below are well-formed");
    let keys = [
        (APP, format!("2026-11.{}", encode_base64url(counting::<64>(0)))),
        (APP, format!("2026-10.{}", encode_base64url(counting::<80>(64)))),
        ("other-app", format!("other.{}", encode_base64url(counting::<64>(9)))),
    ];
    let times = |lifetime| (UnixSeconds(NOW), UnixSeconds(NOW + lifetime));
    let context = scope(&[("dashboard", "10001"), ("gadget", "10100"), ("module", "absences-gadget")]);
    let session = SessionClaims::new(
        APP.into(),
        SITE.into(),
        "712020:abc".into(),
        context,
        Permissions::ALL,
        times(900),
    );
    let subscribe = Permissions { subscribe: true, publish: false };
    let channel =
        ChannelClaims::new(APP.into(), SITE.into(), "chat".into(), counting(0), subscribe, times(86_400));
    let backend = BackendClaims::new(APP.into(), SITE.into(), times(limits::MAX_BACKEND_TOKEN_LIFETIME));
    let signed = |index: usize| {
        let key = key(keys[index].1.clone());
        let sign = |result: Result<String, _>| result.expect("the claims above are within the limits");
        [sign(sign_with(&session, &key)), sign(sign_with(&channel, &key)), sign(sign_with(&backend, &key))]
    };
    let [session_token, channel_token, backend_token] = signed(0);
    let [old_key, ..] = signed(1);
    let [other_app, ..] = signed(2);
    let json = |claims: serde_json::Result<serde_json::Value>| claims.expect("claims are JSON").into();
    let case = |what: &str, kind: &str, now: u64, token: &str, claims, refused: Option<&str>| TokenCase {
        what: what.into(),
        kind: kind.into(),
        now,
        token: token.into(),
        claims,
        refused: refused.map(Into::into),
    };
    let unsigned = |header: &str| {
        let payload = session_token.split('.').nth(1).unwrap_or_default();
        format!("{}.{payload}.", encode_base64url(header))
    };
    let cases = vec![
        case("a session token", "session", NOW, &session_token, json(serde_json::to_value(&session)), None),
        case("a channel token", "channel", NOW, &channel_token, json(serde_json::to_value(&channel)), None),
        case("a backend token", "backend", NOW, &backend_token, json(serde_json::to_value(&backend)), None),
        case("the app's other key", "session", NOW, &old_key, json(serde_json::to_value(&session)), None),
        case(
            "its last second",
            "session",
            NOW + 899,
            &session_token,
            json(serde_json::to_value(&session)),
            None,
        ),
        case("expired", "session", NOW + 900, &session_token, None, Some("TOKEN_EXPIRED")),
        case("not yet valid", "session", NOW - 61, &session_token, None, Some("TOKEN_NOT_YET_VALID")),
        case("another kind", "session", NOW, &backend_token, None, Some("TOKEN_AUDIENCE")),
        case("another app's key", "session", NOW, &other_app, None, Some("TOKEN_APP")),
        case("alg none", "session", NOW, &unsigned(r#"{"alg":"none"}"#), None, Some("TOKEN_ALGORITHM")),
        case(
            "HS256",
            "session",
            NOW,
            &unsigned(r#"{"alg":"HS256","kid":"2026-11"}"#),
            None,
            Some("TOKEN_ALGORITHM"),
        ),
        case(
            "unknown kid",
            "session",
            NOW,
            &unsigned(r#"{"alg":"HS512","kid":"x"}"#),
            None,
            Some("TOKEN_UNKNOWN_KEY"),
        ),
        case(
            "no signature",
            "session",
            NOW,
            &unsigned(r#"{"alg":"HS512","kid":"2026-11"}"#),
            None,
            Some("TOKEN_SIGNATURE"),
        ),
        case("no token", "session", NOW, "", None, Some("TOKEN_MALFORMED")),
    ];
    let keys = keys.map(|(app, signing_key)| AppKey { app: app.into(), signing_key }).into();
    TokenVectors { keys, cases }
}

fn sign_with<C: sealwire_protocol::tokens::Claims>(claims: &C, key: &SigningKey) -> Result<String, String> {
    sign(claims, key).map_err(|error| error.to_string())
}

fn sealed() -> Vec<SealedCase> {
    let (scope, name) = (scope(&[("dashboard", "10001")]), "absences");
    let id = ChannelAddress { app: APP, installation: SITE, scope: &scope, claims_tag: None, name }.id();
    let key = EncryptionKey::new(counting(0)).scope_key(APP, SITE, &scope).channel_key(None, name);
    let case = |what: &str, event: &str, payload: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = seal(&key, counting(50), id, event, UnixMillis(NOW * 1000 + 123), payload)
            .expect("the payloads below are short");
        let genuine = bytes.clone();
        change(&mut bytes);
        SealedCase {
            what: what.into(),
            encryption_key: to_hex(&counting::<32>(0)),
            app: APP.into(),
            installation: SITE.into(),
            scope: scope.clone(),
            name: name.into(),
            event: event.into(),
            nonce: to_hex(&counting::<24>(50)),
            published_at_ms: NOW * 1000 + 123,
            payload: (bytes == genuine).then(|| payload.into()),
            sealed: to_hex(&bytes),
        }
    };
    let object = r#"{"name":"Anna","until":"2026-12-01"}"#;
    vec![
        case("an object", "added", object, &|_| ()),
        case("a text without event", "", r#""Grüezi 👋""#, &|_| ()),
        case("the shortest payload", "", "0", &|_| ()),
        case("a kilobyte", "", &format!("\"{}\"", "x".repeat(1022)), &|_| ()),
        case("an altered ciphertext", "added", object, &|bytes| bytes[30] ^= 1),
        case("an altered tag", "added", object, &|bytes| *bytes.last_mut().expect("it has a tag") ^= 0x80),
        case("an altered nonce", "added", object, &|bytes| bytes[5] ^= 1),
        case("another key id", "added", object, &|bytes| bytes[1] ^= 1),
        case("another version", "added", object, &|bytes| bytes[0] = 2),
        case("a message cut short", "added", object, &|bytes| bytes.truncate(bytes.len() - 1)),
    ]
}

fn frames() -> Vec<FrameCase> {
    let id = || ChannelId(counting(0)).into();
    let channel = || {
        let properties = vec!["dashboard".into(), "gadget".into()];
        Some(Channel { name: "absences".into(), properties, token: "a.b.c".into() })
    };
    let position = Position { epoch: 0x0123_4567_89ab_cdef, offset: 300 };
    let events = vec!["added".into(), "removed".into()];
    let to_relay = [
        ToRelay::Hello(Hello { token: "a.b.c".into() }),
        ToRelay::Refresh(Refresh { request: 1, channel_id: bytes::Bytes::new(), token: "a.b.c".into() }),
        ToRelay::Refresh(Refresh { request: 2, channel_id: id(), token: "a.b.c".into() }),
        ToRelay::Subscribe(Subscribe { request: 3, channel: channel(), since: None, events: vec![] }),
        ToRelay::Subscribe(Subscribe {
            request: 4,
            channel: channel(),
            since: Some(Since::ReplaySeconds(60)),
            events,
        }),
        ToRelay::Subscribe(Subscribe {
            request: 5,
            channel: channel(),
            since: Some(Since::Position(position)),
            events: vec![],
        }),
        ToRelay::Unsubscribe(Unsubscribe { request: 6, channel_id: id() }),
        ToRelay::Publish(Publish {
            request: 70_000,
            channel: channel(),
            event: "added".into(),
            sealed: counting::<60>(7).to_vec().into(),
            id: counting::<16>(200).to_vec().into(),
            follows: 69_999,
        }),
        ToRelay::Pong(Pong {}),
        ToRelay::Ping(Ping {}),
        ToRelay::Session(Session { number: 300 }),
        ToRelay::End(End {}),
    ];
    let to_client = [
        ToClient::Welcome(Welcome {
            max_frame: 147_456,
            max_subscriptions: 256,
            heartbeat_ms: 25_000,
            replay_window_ms: 120_000,
            expires_at: NOW + 900,
            now_ms: NOW * 1000,
        }),
        ToClient::Refreshed(Refreshed { request: 1, expires_at: NOW + 900 }),
        ToClient::Subscribed(Subscribed {
            request: 3,
            channel_id: id(),
            position: Some(position),
            recovered: true,
        }),
        ToClient::Unsubscribed(Unsubscribed { request: 6 }),
        ToClient::Publication(Publication {
            channel_id: id(),
            offset: 301,
            previous_offset: 300,
            time_ms: NOW * 1000 + 5,
            event: "added".into(),
            sealed: counting::<60>(7).to_vec().into(),
        }),
        ToClient::Published(Published { request: 7, position: Some(position), time_ms: NOW * 1000 }),
        ToClient::Failed(Failed::new(8, Code::ScopeRefused, "why".into())),
        ToClient::Ended(Ended { channel_id: id(), code: Code::TokenExpired.number(), message: "why".into() }),
        ToClient::Goodbye(Goodbye {
            code: Code::ShuttingDown.number(),
            message: "why".into(),
            reconnect_after_ms: 1500,
        }),
        ToClient::Ping(Ping {}),
        ToClient::Pong(Pong {}),
        ToClient::Session(Session { number: 300 }),
    ];
    let case = |direction: &str, message: String, bytes: Vec<u8>| FrameCase {
        direction: direction.into(),
        message: message.split('(').next().unwrap_or_default().into(),
        bytes: to_hex(&bytes),
    };
    let mut cases: Vec<_> =
        to_relay.iter().map(|message| case("to-relay", format!("{message:?}"), message.to_bytes())).collect();
    cases.extend(
        to_client.iter().map(|message| case("to-client", format!("{message:?}"), message.to_bytes())),
    );
    cases
}

/// Frames of RFC 6455 in one message, with each of their three forms of length.
fn batches() -> Vec<BatchCase> {
    let case = |what: &str, bytes: &[u8], messages: &[&[u8]], broken: bool| BatchCase {
        what: what.into(),
        bytes: to_hex(bytes),
        messages: messages.iter().map(|message| to_hex(message)).collect(),
        broken,
    };
    let pong: &[u8] = &[0x5a, 0];
    let framed = [&[0x82, 2], pong].concat();
    let (medium, long) = ([7; 200], [8; 3]);
    let of_all_lengths = [
        framed.as_slice(),
        &[0x82, 0],
        &[0x82, 126, 0, 200],
        &medium,
        &[0x82, 127, 0, 0, 0, 0, 0, 0, 0, 3],
        &long,
    ];
    let broken = |what: &str, rest: &[u8]| case(what, &[framed.as_slice(), rest].concat(), &[pong], true);
    vec![
        case("a message alone", pong, &[pong], false),
        case("an empty message", &[], &[&[]], false),
        case("a batch of one", &framed, &[pong], false),
        case(
            "every form of length, also where a shorter one would do",
            &of_all_lengths.concat(),
            &[pong, &[], &medium, &long],
            false,
        ),
        broken("a frame without a length", &[0x82]),
        broken("a frame that is cut", &[0x82, 2, 1]),
        broken("a length that is cut", &[0x82, 126, 0]),
        broken("a length past everything", &[0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255, 1]),
        broken("a masked frame", &[0x82, 0x81, 0, 0, 0, 0, 1]),
        broken("a close frame", &[0x88, 2, 3, 0xe8]),
        broken("a fragment", &[0x02, 0]),
    ]
}
