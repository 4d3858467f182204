//! Traces of OpenTelemetry: the spans of a relay at a collector, and their contents.

use crate::support::{
    App, Client, FakeCollector, INSTALLATION, Recorded, RelayProcess, Scrape, batch, channel, post, request,
    sealed,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealwire_protocol::{encode_base64url, wire::Since};
use serde_json::json;
use std::collections::BTreeSet;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn start(collector: &FakeCollector, more: &[&str]) -> RelayProcess {
    let flags = collector.flags();
    let flags: Vec<&str> = flags.iter().map(String::as_str).chain(more.iter().copied()).collect();
    RelayProcess::start(&flags)
}

/// Publishes a batch over HTTP with this `traceparent`.
async fn post_in_trace(relay: &RelayProcess, traceparent: &str, count: usize) -> serde_json::Value {
    let token = App::one().backend();
    let headers = format!(
        "authorization: Bearer {token}\r\ncontent-type: application/json\r\ntraceparent: {traceparent}\r\n"
    );
    let answer = request(relay.address, "POST", "/v1/publish", &headers, &batch(count)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

fn keys(span: &Recorded) -> Vec<&str> {
    span.attributes.keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_publication_over_http_and_its_delivery_are_one_trace() {
    let collector = FakeCollector::start().await;
    let relay = start(&collector, &[]);
    let mut subscribers = [Client::open(&relay, "bob").await, Client::open(&relay, "carol").await];
    for subscriber in &mut subscribers {
        subscriber.subscribe("absences").await;
    }
    let body = post_in_trace(&relay, "", 1).await;
    let delivery = &collector.until("deliver", 1).await[0];
    let request = &collector.until("POST /v1/publish", 1).await[0];
    let publication = &collector.until("publish", 1).await[0];
    let acknowledgement = &collector.until("acknowledge", 1).await[0];

    assert_eq!((request.parent.as_str(), request.kind), ("", 2));
    assert_eq!((&publication.parent, publication.kind), (&request.id, 4));
    assert_eq!((&acknowledgement.parent, acknowledgement.kind), (&publication.id, 3));
    assert_eq!((&delivery.parent, delivery.kind), (&publication.id, 5));
    for span in [request, publication, acknowledgement, delivery] {
        assert_eq!((&span.trace, span.status), (&request.trace, 0), "{span:#?}");
        assert!(span.nanos < 5_000_000_000, "{span:#?}");
    }
    assert_eq!(
        publication.attribute("messaging.message.id"),
        body["results"][0]["eventId"].as_str().unwrap()
    );
    assert_eq!(publication.attribute("messaging.message.body.size"), sealed("x").len().to_string());
    assert_eq!(request.attribute("messaging.batch.message_count"), "1");
    assert_eq!(request.attribute("http.response.status_code"), "200");
    // One span stands for all subscribers.
    assert_eq!(delivery.attribute("sealwire.subscribers"), "2");
    assert_eq!(delivery.attribute("sealwire.offset"), "1");
    for key in ["messaging.destination.name", "sealwire.installation"] {
        assert_eq!(delivery.attribute(key), publication.attribute(key));
    }
    assert_eq!(request.resource["service.name"], "sealwire-relay");
    assert_eq!(request.resource["service.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(request.resource["service.instance.id"].len(), 16);
    assert_eq!(collector.spans().len(), 4, "{:#?}", collector.spans());
}

#[tokio::test]
async fn a_publication_over_a_websocket_begins_a_trace() {
    let collector = FakeCollector::start().await;
    let relay = start(&collector, &["--admin-listen", "127.0.0.1:0"]);
    let mut publisher = Client::open(&relay, "alice").await;
    publisher.publish("absences", "hello").await;
    publisher.publish("rotation", "hello").await;
    let deliveries = collector.until("deliver", 2).await;
    let publications = collector.until("publish", 2).await;
    for publication in &publications {
        assert_eq!(publication.parent, "");
        let delivery = deliveries.iter().find(|delivery| delivery.parent == publication.id).unwrap();
        assert_eq!(delivery.trace, publication.trace);
        assert_eq!(delivery.attribute("sealwire.subscribers"), "0");
    }
    assert_ne!(publications[0].trace, publications[1].trace);
    let channels: BTreeSet<_> =
        publications.iter().map(|span| span.attribute("messaging.destination.name")).collect();
    assert_eq!(channels.len(), 2);
    let exported = collector.spans().len() as f64;
    Scrape::until(&relay, "sealwire_trace_spans_total{outcome=\"exported\"}", exported).await;
}

#[tokio::test]
async fn the_decision_of_a_caller_is_followed() {
    let collector = FakeCollector::start().await;
    let relay = start(&collector, &[]);
    post_in_trace(&relay, &format!("00-{TRACE}-{PARENT}-00"), 3).await;
    // Spans arrive in order, so these would follow those of the first request.
    post_in_trace(&relay, &format!("00-{TRACE}-{PARENT}-01"), 2).await;
    collector.until("deliver", 2).await;
    let request = &collector.until("POST /v1/publish", 1).await[0];
    assert_eq!(request.parent, PARENT);
    assert_eq!(request.attribute("messaging.batch.message_count"), "2");
    let spans = collector.spans();
    assert!(spans.iter().all(|span| span.trace == TRACE), "{spans:#?}");
    // The request, and three for each of its messages.
    assert_eq!(spans.len(), 1 + 3 * 2, "{spans:#?}");
}

#[tokio::test]
async fn the_ratio_applies_to_operations_without_a_trace_and_is_reloaded() {
    let collector = FakeCollector::start().await;
    let app = App::one();
    let config = |ratio: &str| {
        format!(
            "listen = \"127.0.0.1:0\"\notlp_endpoint = \"http://{}\"\ntrace_ratio = {ratio}\n\
             [[app]]\nid = \"{}\"\nsigning_keys = [\"{}\"]\n",
            collector.address, app.id, app.key_text
        )
    };
    let relay = RelayProcess::start_in(tempfile::tempdir().unwrap(), &config("0.0"), &[]);
    let mut publisher = Client::open(&relay, "alice").await;
    publisher.publish("absences", "not recorded").await;
    post(relay.address, &app.backend(), &batch(1)).await;
    post_in_trace(&relay, "nonsense", 1).await;
    post_in_trace(&relay, &format!("00-{TRACE}-{PARENT}-01"), 1).await;
    relay.reload(&config("1.0")).await;
    publisher.publish("absences", "recorded").await;
    collector.until("deliver", 2).await;
    let publications = collector.until("publish", 2).await;
    assert_eq!(publications[0].trace, TRACE);
    assert_eq!(publications[1].parent, "");
    assert_eq!(publications.len(), 2, "{publications:#?}");
}

#[tokio::test]
async fn a_request_without_a_valid_token_begins_no_trace() {
    let collector = FakeCollector::start().await;
    let relay = start(&collector, &[]);
    let headers = format!("content-type: application/json\r\ntraceparent: 00-{TRACE}-{PARENT}-01\r\n");
    for more in ["", "authorization: Bearer nonsense\r\n"] {
        let answer =
            request(relay.address, "POST", "/v1/publish", &format!("{headers}{more}"), &batch(1)).await;
        assert_eq!(answer.status, 401);
    }
    let answer = post(relay.address, &App::one().backend(), "{}").await;
    assert_eq!(answer.status, 400);
    let requests = collector.until("POST /v1/publish", 1).await;
    assert_eq!(requests[0].attribute("http.response.status_code"), "400");
    assert_eq!(collector.spans().len(), 1, "{:#?}", collector.spans());
}

#[tokio::test]
async fn a_subscription_that_resumes_is_a_span_with_its_replay() {
    let collector = FakeCollector::start().await;
    let relay = start(&collector, &[]);
    let (mut client, mut publisher) =
        (Client::open(&relay, "bob").await, Client::open(&relay, "alice").await);
    let position = client.subscribe_since("absences", None).await.position.unwrap();
    for text in ["one", "two"] {
        publisher.publish("absences", text).await;
    }
    let mut resumed = Client::open(&relay, "bob").await;
    resumed.subscribe_since("absences", Some(Since::Position(position))).await;
    let spans = collector.until("resume", 1).await;
    // A subscription that asks for nothing is no span.
    assert_eq!(spans.len(), 1);
    assert_eq!(spans[0].attribute("sealwire.since"), "position");
    assert_eq!(spans[0].attribute("sealwire.recovered"), "true");
    assert_eq!(spans[0].attribute("messaging.batch.message_count"), "2");
    assert!(spans[0].attribute("sealwire.replayed_bytes").parse::<u64>().unwrap() > 2 * 64);
}

/// Every attribute that a span may have. docs/security.md explains each of them.
const ATTRIBUTES: [&str; 18] = [
    "error.type",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "messaging.batch.message_count",
    "messaging.destination.name",
    "messaging.message.body.size",
    "messaging.message.id",
    "messaging.operation.name",
    "messaging.operation.type",
    "messaging.system",
    "sealwire.installation",
    "sealwire.offset",
    "sealwire.recovered",
    "sealwire.replayed_bytes",
    "sealwire.request_id",
    "sealwire.since",
    "sealwire.subscribers",
];

/// Publishes, resumes and is refused in every way that makes a span. Returns the texts and bytes that no span may contain.
async fn traffic(relay: &RelayProcess) -> Vec<Vec<u8>> {
    let app = App::one();
    let (session, backend, event) = (app.session("account-alice"), app.backend(), "event-added");
    let mut client = Client::open_with(relay, session.clone()).await;
    let channel_id = client.subscribe_since("absences", None).await.channel_id().0;
    client.try_publish(channel("absences"), event, sealed("payload-text"), *b"id-of-a-message!").await;
    // A repeat with other content is refused.
    client.try_publish(channel("absences"), event, sealed("payload-other"), *b"id-of-a-message!").await;
    let mut resumed = Client::open(relay, "account-bob").await;
    resumed.subscribe_since("absences", Some(Since::ReplaySeconds(5))).await;
    let message = json!({
        "channel": "absences", "scope": App::context(), "sealed": STANDARD.encode(sealed("payload-text")),
        "event": event, "id": encode_base64url(*b"id-of-a-request!"),
    });
    let headers = format!(
        "authorization: Bearer {backend}\r\ncontent-type: application/json\r\nuser-agent: agent-x\r\n\
         tracestate: vendor=state-of-vendor\r\nbaggage: account=baggage-of-app\r\n"
    );
    let body = json!({ "messages": [message] }).to_string();
    request(relay.address, "POST", "/v1/publish", &headers, &body).await;
    let channel_hex: String = channel_id.iter().map(|byte| format!("{byte:02x}")).collect();
    let signature = session.rsplit('.').next().unwrap();
    let texts = [&session, signature, &backend, &app.key_text, &app.id, INSTALLATION, event, &channel_hex];
    let parts = ["account-", "absences", "10001", "payload-", "id-of-a-", "agent-x", "-of-vendor", "-of-app"];
    let texts = texts.into_iter().chain(parts).map(|text| text.as_bytes().to_vec());
    texts.chain([channel_id.to_vec(), STANDARD.encode(channel_id).into_bytes()]).collect()
}

#[tokio::test]
async fn a_span_contains_nothing_of_a_client() {
    let collector = FakeCollector::start().await;
    let relay = start(&collector, &[]);
    let secrets = traffic(&relay).await;
    collector.until("deliver", 2).await;
    collector.until("resume", 1).await;
    let refused = collector.until("publish", 3).await.into_iter().find(|span| span.status == 2).unwrap();
    assert_eq!(refused.attribute("error.type"), "ID_REUSED");
    let bytes = collector.bytes();
    for secret in secrets {
        let found = bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!found, "a span contains {:?}", String::from_utf8_lossy(&secret));
    }
    let spans = collector.spans();
    let named: BTreeSet<&str> = spans.iter().flat_map(keys).collect();
    assert_eq!(named, BTreeSet::from(ATTRIBUTES));
    let page = include_str!("../../../../docs/security.md");
    for attribute in ATTRIBUTES {
        assert!(page.contains(&format!("`{attribute}`")), "docs/security.md does not explain {attribute}");
    }
}
