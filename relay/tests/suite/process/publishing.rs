//! Publishing over WebSocket and HTTP.

use crate::support::{App, Client, RelayProcess, Scrape, channel, post, sealed};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealwire_protocol::{
    Code, Scope, encode_base64url,
    wire::{Channel, ToClient},
};
use serde_json::json;

#[tokio::test]
async fn a_message_reaches_exactly_the_subscribers_of_its_channel() {
    let relay = RelayProcess::start(&[]);
    let mut publisher = Client::open(&relay, "alice").await;
    let mut subscriber = Client::open(&relay, "bob").await;
    let mut elsewhere = Client::open(&relay, "carol").await;
    let id = subscriber.subscribe("absences").await;
    assert_eq!(publisher.subscribe("absences").await, id);
    assert_ne!(elsewhere.subscribe("rotation").await, id);

    let published = publisher.publish("absences", "hello").await;
    let publication = subscriber.publication().await;
    assert_eq!(publication.channel_id(), id);
    assert_eq!(publication.sealed, sealed("hello"));
    assert_eq!(publication.offset, published.position.unwrap().offset);
    assert_eq!(publication.time_ms, published.time_ms);
    // The publisher gets its own message, since it is subscribed too.
    assert_eq!(publisher.publication().await, publication);
    assert!(elsewhere.is_quiet().await);
}

#[tokio::test]
async fn a_retried_publish_gets_the_same_acknowledgement_and_is_delivered_once() {
    let relay = RelayProcess::start(&[]);
    let mut publisher = Client::open(&relay, "alice").await;
    let mut subscriber = Client::open(&relay, "bob").await;
    subscriber.subscribe("absences").await;
    let mut answers = Vec::new();
    for _ in 0..2 {
        match publisher.try_publish(channel("absences"), "", sealed("once"), [7; 16]).await {
            ToClient::Published(published) => answers.push((published.position, published.time_ms)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(subscriber.text().await, "once");
    assert!(subscriber.is_quiet().await);
}

#[tokio::test]
async fn an_id_of_another_message_is_refused_over_websocket_and_http() {
    let relay = RelayProcess::start(&["--admin-listen", "127.0.0.1:0"]);
    let mut publisher = Client::open(&relay, "alice").await;
    let mut subscriber = Client::open(&relay, "bob").await;
    subscriber.subscribe("absences").await;
    let first = publisher.try_publish(channel("absences"), "", sealed("first"), [7; 16]).await;
    assert!(matches!(first, ToClient::Published(_)));
    for (event, text) in [("", "second"), ("added", "first")] {
        match publisher.try_publish(channel("absences"), event, sealed(text), [7; 16]).await {
            ToClient::Failed(failed) => {
                assert_eq!((failed.code, failed.retry_after_ms), (Code::IdReused.number(), 0));
                assert!(failed.message.contains("use a new id for each message"));
            }
            other => panic!("{other:?}"),
        }
    }
    let message = |text: &str, id: u8| {
        json!({ "channel": "absences", "scope": App::context(), "sealed": STANDARD.encode(sealed(text)),
                "id": encode_base64url([id; 16]) })
    };
    let body = json!({ "messages": [message("first", 7), message("third", 7), message("fourth", 8)] });
    let answer = post(relay.address, &App::one().backend(), &body.to_string()).await;
    let results = answer.body["results"].as_array().unwrap();
    assert_eq!(results[1]["error"]["code"], "ID_REUSED");
    assert!(results[0]["eventId"].is_string() && results[2]["eventId"].is_string(), "{answer:?}");
    assert_eq!((subscriber.text().await, subscriber.text().await), ("first".into(), "fourth".into()));
    assert!(subscriber.is_quiet().await);
    let log = relay.log_with("ID_REUSED").await;
    assert!(log.contains("attempt=\"publish\""), "{log}");
    assert_eq!(Scrape::of(&relay).await.value("sealwire_refusals_total{code=\"ID_REUSED\"}"), 3.0);
}

#[tokio::test]
async fn every_message_of_a_batch_over_http_has_its_own_result() {
    let relay = RelayProcess::start(&[]);
    let mut subscriber = Client::open(&relay, "bob").await;
    subscriber.subscribe("absences").await;
    let (scope, id) = (App::context(), |byte: u8| encode_base64url([byte; 16]));
    let body = json!({ "messages": [
        { "channel": "absences", "scope": scope, "event": "", "sealed": STANDARD.encode(sealed("one")), "id": id(1) },
        { "channel": "", "scope": scope, "sealed": STANDARD.encode(sealed("two")), "id": id(2) },
        { "channel": "absences", "scope": Scope::default(), "sealed": STANDARD.encode(sealed("global")), "id": id(3) },
        { "channel": "absences", "scope": scope, "sealed": STANDARD.encode(sealed("three")), "id": id(4) },
    ] });
    let answer = post(relay.address, &App::one().backend(), &body.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let results = answer.body["results"].as_array().unwrap();
    assert_eq!(results[1]["error"]["code"], "NAME_INVALID");
    for index in [0, 2, 3] {
        assert!(results[index]["eventId"].as_str().unwrap().len() > 17);
        assert!(results[index]["eventTimestamp"].as_u64().unwrap() > 0);
    }
    assert_eq!(subscriber.text().await, "one");
    assert_eq!(subscriber.text().await, "three");
}

#[tokio::test]
async fn a_channel_depends_on_the_set_of_scope_properties_and_not_on_their_order() {
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "bob").await;
    let mut ids = Vec::new();
    for properties in [&["module", "dashboard"][..], &["dashboard", "module"], &["dashboard"], &[]] {
        let properties = properties.iter().map(|property| (*property).to_owned()).collect();
        let channel = Channel { properties, ..channel("absences") };
        match client.try_subscribe(channel, None, &[]).await {
            ToClient::Subscribed(subscribed) => ids.push(subscribed.channel_id()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ids[0], ids[1]);
    assert!(ids[1] != ids[2] && ids[2] != ids[3] && ids[1] != ids[3]);
}
