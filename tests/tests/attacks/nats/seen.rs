//! The sight of a party that reads everything in the relays' account of NATS, compared with the tables of docs/security.md.

use super::{client::NatsClient, intruder, tokens::contains_token};
use crate::{
    case::{Case, case},
    cluster::{Cluster, OPERATOR_PASSWORD},
    http::{batch, message},
    target::{Target, channel, context, random},
};
use async_nats::Message;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use prost::encoding::{DecodeContext, decode_key, skip_field};
use sealwire_protocol::{
    Message as Unsealed, SenderId, Stamp, UnixMillis, encode_base64url,
    wire::{PresenceEnter, Publish, Since, ToClient, ToRelay},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

pub(super) const CASES: &[Case] = &[case("nats-reader", |target| {
    let cluster = target.cluster.as_ref().unwrap();
    let intruder = intruder(cluster);
    let mut heard = intruder.listen(">");
    let (page, start, mut seen) = (Page::read(), Instant::now(), BTreeSet::new());
    while let Some(missing) = page.patterns.iter().find(|pattern| !seen.contains(*pattern)) {
        assert!(start.elapsed() < TIMEOUT, "no message is sent on {missing}, which the page lists");
        // The servers may learn a moment later that somebody listens.
        use_everything(target);
        for message in heard.all_within(QUIET) {
            page.must_list(&message, &mut seen);
            must_hold_no_secret(target, &message);
        }
        // Revocations are read once a second; their epoch only at the start of a relay.
        let epoch = intruder.request(
            "$JS.API.STREAM.MSG.GET.sealwire-revocations",
            &json!({ "last_by_subj": "sealwire.revocations.epoch" }),
            TIMEOUT,
        );
        if epoch.is_some_and(|answer| answer["message"]["subject"] == "sealwire.revocations.epoch") {
            seen.insert("<prefix>.revocations.epoch".to_owned());
        }
    }
    must_list_connections(&page, cluster);
})];

const NAME: &str = "seen-channel";
const PAYLOAD: &str = "the plaintext of a message";
const EVENT: &str = "an-event";
const ACCOUNT: &str = "seen-account";
const TIMEOUT: Duration = Duration::from_secs(20);
const QUIET: Duration = Duration::from_millis(500);
/// The names of the fields in a publication or mark, a report, a revocation, and a message about presence.
const CONTENT: [&str; 4] = ["time", "event", "sealed", "content"];
const REPORT: [&str; 6] = ["version", "sequence", "full", "requests", "publications", "sessions"];
const REVOCATION: [&str; 3] = ["version", "record", "tags"];
const PRESENCE: [&str; 3] = ["version", "content", "tags"];

/// The subscriptions of a relay, as the page lists them.
const SUBSCRIPTIONS: [&str; 5] = [
    "<prefix>.live.…",
    "<prefix>.relays.*",
    "<prefix>.presence.…",
    "<prefix>.revocations.*.*",
    "_INBOX.<prefix>.>",
];

/// The first columns of the tables on the page.
struct Page {
    rows: Vec<String>,
    /// The subjects of messages, which begin with the prefix.
    patterns: Vec<String>,
    /// Everything else in code font.
    names: BTreeSet<String>,
}

/// Publishes sealed messages over WebSocket and HTTP, replays them, enters a presence, and ends sessions.
fn use_everything(target: &Target) {
    let (mut alice, mut publisher) =
        (target.open_elsewhere(&target.victim, ACCOUNT), target.open(&target.victim, ACCOUNT));
    assert!(matches!(alice.subscribe(channel(NAME), None), ToClient::Subscribed(_)));
    for session in [&mut alice, &mut publisher] {
        let (request, member) = (session.request(), random::<16>().to_vec().into());
        session.send_message(&ToRelay::PresenceEnter(PresenceEnter {
            request,
            channel: Some(channel(NAME)),
            member,
            number: 1,
            sealed: vec![0xab; 100].into(),
        }));
        assert!(matches!(session.expect_message(), ToClient::PresenceAccepted(_)));
    }
    let (id, key) = (target.victim.channel_id(&context(), NAME), target.victim.channel_key(&context(), NAME));
    let stamp = Stamp { number: 1, confirmed: 0 };
    let published_at = UnixMillis(1);
    let sealed = || {
        let message = Unsealed {
            sender: SenderId(random()),
            stamp,
            published_at,
            event: EVENT,
            payload: PAYLOAD,
            signature: None,
        };
        sealwire_protocol::seal(&key, random(), id, &message).unwrap()
    };
    let (request, wire_id) = (publisher.request(), random::<16>().to_vec().into());
    publisher.send_message(&ToRelay::Publish(Publish {
        request,
        channel: Some(channel(NAME)),
        event: EVENT.to_owned(),
        sealed: sealed().into(),
        id: wire_id,
        follows: 0,
        content: Default::default(),
    }));
    assert!(matches!(publisher.expect_message(), ToClient::Published(_)));
    let over_http = message(json!({ "channel": NAME, "event": EVENT, "sealed": STANDARD.encode(sealed()) }));
    assert!(target.publish(&batch(&[over_http])).contains("eventId"));
    let mut late = target.open(&target.victim, ACCOUNT);
    assert!(matches!(late.subscribe(channel(NAME), Some(Since::ReplaySeconds(60))), ToClient::Subscribed(_)));
    let body = json!({ "account": "somebody-else", "context": { "dashboard": "10001" } }).to_string();
    let answer = target.exchange(
        format!(
            "POST /v1/disconnect HTTP/1.1\r\nhost: relay\r\nconnection: close\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            target.victim.backend(),
            body.len()
        )
        .as_bytes(),
    );
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

impl Page {
    fn read() -> Self {
        let page = include_str!("../../../../docs/security.md");
        let (_, sections) = page.split_once("## What NATS sees of messages").unwrap();
        let (sections, _) = sections.split_once("## Keys").unwrap();
        let rows: Vec<String> = sections
            .lines()
            .filter_map(|line| Some(line.strip_prefix("| ")?.split_once(" | ")?.0.to_owned()))
            .collect();
        let code: Vec<String> =
            rows.iter().flat_map(|row| row.split('`').skip(1).step_by(2)).map(str::to_owned).collect();
        let is_pattern = |text: &&String| text.starts_with("<prefix>.") && !text.contains(['…', '*']);
        Self {
            patterns: code.iter().filter(is_pattern).cloned().collect(),
            names: code.into_iter().collect(),
            rows,
        }
    }

    /// Asserts that a row lists this part of a kind of content.
    fn must_list_field(&self, kind: &str, field: &str) {
        let is_listed = self.rows.iter().any(|row| row.starts_with(kind) && row.contains(field));
        assert!(is_listed, "no row of '{kind}' lists '{field}'");
    }

    /// Asserts that the page lists the subject of a message, its headers, and the fields of its content.
    fn must_list(&self, message: &Message, seen: &mut BTreeSet<String>) {
        let subject = &*message.subject;
        if subject.starts_with("$JSC.") || subject.starts_with("_INBOX.attackers.") {
            // The servers among themselves, and the answers to this test.
            return;
        }
        for (name, _) in message.headers.iter().flat_map(async_nats::HeaderMap::iter) {
            assert!(
                self.names.contains(&name.to_string()),
                "the header {name} on {subject} is not on the page"
            );
        }
        if let Some(api) = subject.strip_prefix("$JS.API.") {
            assert!(self.names.contains("$JS.API.>"), "{subject}");
            let body: Value = serde_json::from_slice(&message.payload).unwrap_or_default();
            let creates = api.starts_with("STREAM.CREATE.") || api.starts_with("STREAM.UPDATE.");
            for key in body.as_object().into_iter().flat_map(serde_json::Map::keys).filter(|_| !creates) {
                assert!(self.names.contains(key), "the key {key} of {subject} is not on the page");
            }
            return;
        }
        if !subject.starts_with("sealwire.") {
            let listed = ["_INBOX.<prefix>.>", "$JS.EVENT.>"];
            let is_listed = listed.iter().any(|pattern| {
                let start = pattern.replace("<prefix>", "sealwire").replace('>', "");
                self.names.contains(*pattern) && subject.starts_with(&start)
            });
            assert!(is_listed, "{subject} is not on the page");
            return;
        }
        let pattern = self.patterns.iter().find(|pattern| matches(pattern, subject));
        let pattern = pattern.unwrap_or_else(|| panic!("{subject} is not on the page"));
        seen.insert(pattern.clone());
        let (kind, names): (_, &[&str]) = match &**pattern {
            "<prefix>.revocations.epoch" => return,
            pattern if pattern.contains("mark") => ("content:", &CONTENT[..1]),
            pattern if pattern.contains(".c.") => ("content:", &CONTENT),
            pattern if pattern.contains("presence") => ("of a presence message:", &PRESENCE),
            pattern if pattern.contains("relays") => ("of a report:", &REPORT),
            _ => ("of a revocation:", &REVOCATION),
        };
        for number in field_numbers(&message.payload) {
            let name = names.get(number - 1);
            let name =
                name.unwrap_or_else(|| panic!("{subject} has a field {number}, which no relay writes"));
            // The record has rows for each of its own fields.
            if *name != "record" {
                self.must_list_field(kind, name);
            }
        }
    }
}

/// Returns whether a subject matches a pattern of the page.
fn matches(pattern: &str, subject: &str) -> bool {
    let is_hex = |text: &str, len: usize| {
        text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let fits = |(pattern, token): (&str, &str)| match pattern {
        "<prefix>" => token == "sealwire",
        "<stream>" => token.parse::<u8>().is_ok_and(|number| number < 4),
        "<epoch>" | "<relay>" => is_hex(token, 16),
        "<channel>" | "<installation>" | "<selection>" => is_hex(token, 32),
        pattern => pattern == token,
    };
    pattern.split('.').count() == subject.split('.').count()
        && pattern.split('.').zip(subject.split('.')).all(fits)
}

/// Returns the numbers of the fields in a protobuf message.
fn field_numbers(mut bytes: &[u8]) -> BTreeSet<usize> {
    let mut numbers = BTreeSet::new();
    while !bytes.is_empty() {
        let (tag, wire_type) = decode_key(&mut bytes).unwrap();
        skip_field(wire_type, tag, &mut bytes, DecodeContext::default()).unwrap();
        numbers.insert(tag as usize);
    }
    numbers
}

/// Asserts that a message contains no plaintext, key or token, and no name but those of events and keys.
fn must_hold_no_secret(target: &Target, message: &Message) {
    let headers: String = message
        .headers
        .iter()
        .flat_map(async_nats::HeaderMap::iter)
        .map(|(name, values)| format!("{name}: {values:?}\n"))
        .collect();
    let mut parts = vec![message.subject.as_bytes().to_vec(), headers.into_bytes(), message.payload.to_vec()];
    // An answer quotes stored messages in base64.
    if let Ok(answer) = serde_json::from_slice::<Value>(&message.payload) {
        let quoted = ["data", "hdrs"].into_iter().filter_map(|key| answer["message"][key].as_str());
        parts.extend(quoted.map(|text| STANDARD.decode(text).unwrap()));
    }
    let victim = &target.victim;
    let key = victim.channel_key(&context(), NAME);
    let keys = [victim.encryption_key.to_vec(), sealwire_protocol::decode_base64url(secret(victim)).unwrap()];
    let mut secrets: Vec<Vec<u8>> =
        [PAYLOAD, NAME, ACCOUNT, "somebody-else", "dashboard", "absences", "ari:cloud"]
            .map(|text| text.as_bytes().to_vec())
            .into();
    for key in keys.into_iter().chain([key.as_bytes().to_vec()]) {
        secrets.extend([encode_base64url(&key).into_bytes(), STANDARD.encode(&key).into_bytes(), key]);
    }
    for part in parts {
        assert!(!contains_token(&part), "{} contains a token", message.subject);
        for secret in &secrets {
            let is_there = memchr::memmem::find(&part, secret).is_some();
            assert!(!is_there, "{} contains {}", message.subject, String::from_utf8_lossy(secret));
        }
        // The app's id is only the beginning of a key's id.
        let text = String::from_utf8_lossy(&part).replace(crate::forged::kid(victim), "");
        assert!(!text.contains(&victim.app), "{} contains the id of the app", message.subject);
    }
}

fn secret(installation: &sealwire_tests::Installation) -> &str {
    installation.signing_key.split_once('.').unwrap().1
}

/// Asserts that the page lists the names and the subscriptions of the relays' connections.
fn must_list_connections(page: &Page, cluster: &Cluster) {
    let system = NatsClient::connect(cluster, 0, "system", OPERATOR_PASSWORD).unwrap();
    let options = json!({ "subscriptions": true, "auth": true });
    let answer = system.request("$SYS.REQ.SERVER.PING.CONNZ", &options, TIMEOUT).unwrap();
    let connections = answer["data"]["connections"].as_array().unwrap();
    let relays: Vec<&Value> =
        connections.iter().filter(|connection| connection["authorized_user"] == "relay").collect();
    assert_eq!(relays.len(), 2, "{answer}");
    for relay in relays {
        assert_eq!(relay["name"], "sealwire-relay sealwire");
        for subject in relay["subscriptions_list"].as_array().unwrap() {
            let subject = subject.as_str().unwrap();
            let start = subject.replace("sealwire", "<prefix>");
            let is_listed = SUBSCRIPTIONS.iter().any(|listed| {
                page.names.contains(*listed) && start.starts_with(listed.trim_end_matches(['…', '>']))
            });
            assert!(is_listed, "the subscription {subject} is not on the page");
        }
    }
}
