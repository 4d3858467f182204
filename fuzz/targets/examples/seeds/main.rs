//! Writes the seeds of the corpus to fuzz/corpus: at least one example of every input of a relay or a client.
//! `cargo run -p sealwire-fuzz-targets --example seeds`

mod relays;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use sealwire_fuzz_targets::{APP, NOW, SIGNING_KEY};
use sealwire_protocol::{
    Scope, UnixSeconds, encode_base64url,
    tokens::{BackendClaims, ChannelClaims, Claims, Permissions, SessionClaims, SigningKey, sign},
    wire::{
        Channel, End, Ended, Failed, Goodbye, Hello, Ping, Pong, Position, Publication, Publish, Published,
        Refresh, Refreshed, Session, Since, Subscribe, Subscribed, ToClient, ToRelay, Unsubscribe,
        Unsubscribed, Welcome,
    },
};
use serde_json::json;
use std::{fs, io, path::Path};

const TIMES: (UnixSeconds, UnixSeconds) = (UnixSeconds(NOW - 5), UnixSeconds(NOW + 60));
const ID: Bytes = Bytes::from_static(&[7; 16]);

fn main() -> io::Result<()> {
    write("wire_to_relay", to_relay().iter().map(ToRelay::to_bytes))?;
    write("wire_to_client", to_client().iter().map(ToClient::to_bytes).chain([batch()]))?;
    write("websocket", websocket().into_iter())?;
    write("token", tokens().into_iter())?;
    write("publish_body", bodies().into_iter().map(String::into_bytes))?;
    write("send_body", sends().into_iter().map(String::into_bytes))?;
    write("proxy_header", proxy_headers().into_iter())?;
    write("relay_report", relays::reports().into_iter())?;
    write("shared_revocation", relays::revocations().into_iter())?;
    write("presence_link", relays::presence_links().into_iter())?;
    write("config", CONFIGS.into_iter().map(|text| text.as_bytes().to_vec()))
}

fn write(target: &str, seeds: impl Iterator<Item = Vec<u8>>) -> io::Result<()> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../corpus")).join(target);
    fs::create_dir_all(&folder)?;
    seeds.enumerate().try_for_each(|(index, seed)| fs::write(folder.join(format!("seed-{index:02}")), seed))
}

fn channel() -> Option<Channel> {
    Some(Channel {
        name: "absences".into(),
        properties: vec!["module".into(), "dashboard".into()],
        token: String::new(),
    })
}

fn sealed() -> Bytes {
    vec![1; 80].into()
}

fn scope() -> Scope {
    let mut scope = Scope::default();
    for (property, value) in [("module", "absences"), ("dashboard", "10001")] {
        scope.insert(property, value).expect("the property is within the limits");
    }
    scope
}

fn session() -> SessionClaims {
    SessionClaims::new(
        APP.into(),
        "installation".into(),
        "account".into(),
        scope(),
        Permissions::MESSAGES,
        TIMES,
    )
}

fn channel_claims() -> ChannelClaims {
    let (app, installation) = (APP.into(), "installation".into());
    ChannelClaims::new(app, installation, "absences".into(), [9; 32], Permissions::MESSAGES, TIMES)
}

fn signed(claims: &impl Claims) -> String {
    sign(claims, &SigningKey::parse(SIGNING_KEY).expect("SIGNING_KEY is well-formed"))
        .expect("the claims are valid")
}

fn to_relay() -> Vec<ToRelay> {
    let subscribe = |since, events: &[&str]| {
        let events = events.iter().map(|event| (*event).to_owned()).collect();
        ToRelay::Subscribe(Subscribe { request: 1, channel: channel(), since, events })
    };
    vec![
        ToRelay::Hello(Hello { token: signed(&session()) }),
        ToRelay::Refresh(Refresh { request: 2, channel_id: Bytes::new(), token: "token".into() }),
        ToRelay::Refresh(Refresh { request: 3, channel_id: ID, token: "token".into() }),
        subscribe(None, &[]),
        subscribe(Some(Since::ReplaySeconds(60)), &["added", "removed"]),
        subscribe(
            Some(Since::Position(Position { epoch: u64::MAX, offset: 300, time_ms: 1_800_000_000_123 })),
            &[],
        ),
        ToRelay::Unsubscribe(Unsubscribe { request: 4, channel_id: ID }),
        ToRelay::Publish(Publish {
            follows: 1,
            request: 5,
            channel: channel(),
            event: "added".into(),
            sealed: sealed(),
            id: ID,
            content: Default::default(),
        }),
        ToRelay::Pong(Pong {}),
        ToRelay::Ping(Ping::default()),
        ToRelay::Session(Session { number: 3 }),
        ToRelay::End(End {}),
    ]
}

/// Encodes all messages to a client as one batch.
fn batch() -> Vec<u8> {
    let frame = |message: &ToClient| {
        let message = message.to_bytes();
        let len = u16::try_from(message.len()).unwrap_or_default().to_be_bytes();
        [&[0x82, 126], &len[..], &message].concat()
    };
    to_client().iter().flat_map(frame).collect()
}

fn to_client() -> Vec<ToClient> {
    let position = Some(Position { epoch: 5, offset: 8, time_ms: 9 });
    vec![
        ToClient::Welcome(Welcome {
            max_frame: 147_456,
            max_subscriptions: 256,
            heartbeat_ms: 25_000,
            replay_window_ms: 120_000,
            expires_at: NOW,
            now_ms: NOW * 1000,
        }),
        ToClient::Subscribed(Subscribed {
            request: 1,
            channel_id: ID,
            position,
            recovered: true,
            replay_end: 300,
        }),
        ToClient::Unsubscribed(Unsubscribed { request: 2 }),
        ToClient::Publication(Publication {
            channel_id: ID,
            offset: 9,
            previous_offset: 8,
            time_ms: NOW * 1000,
            event: "added".into(),
            sealed: sealed(),
        }),
        ToClient::Published(Published { request: 3, position, time_ms: NOW * 1000 }),
        ToClient::Refreshed(Refreshed { request: 4, expires_at: NOW }),
        ToClient::Failed(Failed { request: 5, code: 40, message: "no".into(), retry_after_ms: 1000 }),
        ToClient::Ended(Ended { channel_id: ID, code: 24, message: "expired".into() }),
        ToClient::Goodbye(Goodbye { code: 63, message: "shutting down".into(), reconnect_after_ms: 500 }),
        ToClient::Ping(Ping { marks: position.into_iter().collect() }),
        ToClient::Pong(Pong {}),
        ToClient::Session(Session { number: 3 }),
    ]
}

/// Encodes a masked frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [1, 2, 3, 4];
    let mut frame = vec![first];
    match u8::try_from(payload.len()) {
        Ok(len @ 0..=125) => frame.push(0x80 | len),
        _ => {
            frame.push(0xfe);
            frame.extend((payload.len() as u16).to_be_bytes());
        }
    }
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

fn websocket() -> Vec<Vec<u8>> {
    let cut = |size: u8, frames: &[Vec<u8>]| [vec![size], frames.concat()].concat();
    vec![
        cut(255, &[frame(0x82, b"hello")]),
        cut(1, &[frame(0x82, &[5; 200]), frame(0x8a, b"")]),
        cut(3, &[frame(0x02, b"in "), frame(0x89, b"ping"), frame(0x00, b""), frame(0x80, b"pieces")]),
        cut(2, &[frame(0x88, b"\x03\xe8bye")]),
        cut(9, &[frame(0x88, b"")]),
        cut(4, &[vec![0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4]]),
        cut(4, &[vec![0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]]),
        cut(7, &[frame(0xc2, b"compressed")]),
        cut(7, &[frame(0x81, b"text")]),
        cut(7, &[vec![0x82, 0x03, 1, 2, 3]]),
        cut(7, &[frame(0x02, b"a"), frame(0x82, b"b")]),
    ]
}

fn tokens() -> Vec<Vec<u8>> {
    let parts = |header: &str, claims: serde_json::Value| format!("{header}\n{claims}").into_bytes();
    let header = r#"{"alg":"HS512","kid":"kid","typ":"JWT"}"#;
    vec![
        signed(&session()).into_bytes(),
        signed(&channel_claims()).into_bytes(),
        signed(&BackendClaims::new(APP.into(), "installation".into(), TIMES)).into_bytes(),
        parts(header, json!(session())),
        parts(header, json!(channel_claims())),
        parts(
            header,
            json!({ "aud": "sealwire:backend", "iss": APP, "ins": "i", "iat": NOW, "exp": NOW + 9 }),
        ),
        parts(r#"{"alg":"none"}"#, json!(session())),
        parts(r#"{"alg":"HS512","kid":"kid","crit":["b64"],"b64":false}"#, json!(session())),
        parts(header, json!({ "aud": "sealwire:session", "iat": 1.5e3, "exp": -1, "nbf": u64::MAX })),
    ]
}

fn bodies() -> Vec<String> {
    let id = encode_base64url([7; 16]);
    let sealed = STANDARD.encode(sealed());
    let message =
        json!({ "channel": "absences", "scope": scope(), "event": "added", "sealed": sealed, "id": id });
    let mut with_token = message.clone();
    with_token["token"] = signed(&channel_claims()).into();
    let batch = |messages: &[&serde_json::Value]| json!({ "messages": messages }).to_string();
    vec![
        batch(&[&message]),
        batch(&[&message, &message]),
        batch(&[&with_token]),
        batch(&[&json!({ "channel": "", "sealed": "%", "id": "AAAA" }), &json!("no object"), &json!(null)]),
        r#"{"messages":[{"channel":"a","channel":"b","scope":{"a":"1","a":"2"},"sealed":"","id":""}]}"#
            .into(),
        "[[[[[[[[]]]]]]]]".into(),
        r#"{"messages": []}"#.into(),
    ]
}

fn sends() -> Vec<String> {
    let id = encode_base64url([7; 16]);
    let message = STANDARD.encode(ToRelay::Ping(Ping::default()).to_bytes());
    vec![
        format!("{id} 0\n{message}\n"),
        format!("{id} 18446744073709551615\n{message}\n{message}"),
        format!("{id} 7"),
        format!("{id} 0\n\n\n"),
        format!("{id} -1\n%"),
    ]
}

fn proxy_headers() -> Vec<Vec<u8>> {
    let signature = b"\r\n\r\n\0\r\nQUIT\n";
    let binary = |fixed: [u8; 4], rest: &[u8]| [&signature[..], &fixed, rest, b"GET /"].concat();
    let addresses = [203, 0, 113, 9, 10, 0, 0, 1, 0xd4, 0x31, 0x01, 0xbb];
    vec![
        b"PROXY TCP4 203.0.113.9 10.0.0.1 54321 443\r\nGET /".to_vec(),
        b"PROXY TCP6 2001:db8::7 2001:db8::1 54321 443\r\nGET /".to_vec(),
        b"PROXY UNKNOWN\r\nGET /".to_vec(),
        binary([0x21, 0x11, 0, 12], &addresses),
        binary([0x20, 0x00, 0, 0], &[]),
        binary([0x21, 0x21, 0, 36], &[1; 36]),
        binary([0x21, 0x11, 0, 17], &[&addresses[..], &[4, 0, 2, 0, 0]].concat()),
    ]
}

const CONFIGS: [&str; 6] = [
    "listen = \"127.0.0.1:0\"\nreplay_window = \"90s\"\nreplay_bytes = \"64MiB\"\nqueue_bytes = 200000\n",
    "listen = \"0.0.0.0:7440\"\nproxy_terminates_tls = true\nheartbeat = \"10s\"\nhello_timeout = \"500ms\"\n",
    "max_connections = 10\nlog = \"warn,audit=info\"\nlog_format = \"json\"\n",
    "[[app]]\nid = \"other\"\nsigning_keys = [\"two.AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg\"]\n",
    "lisen = 5\n",
    "[app]\nid = 1\n",
];
