//! The users of `deploy/nats/accounts.conf` on a real NATS server.

use super::{nats::secrets, read};
use crate::support::NatsServer;
use async_nats::{Client, ConnectOptions, Event};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use std::{fs, time::Duration};
use tokio::{sync::mpsc, time::timeout};

const TIMEOUT: Duration = Duration::from_secs(20);

/// A user of NATS, and what the server reports about its connection.
struct User {
    client: Client,
    events: mpsc::UnboundedReceiver<String>,
}

/// Starts a NATS server with the shipped users.
async fn start() -> NatsServer {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path();
    fs::write(folder.join("accounts.conf"), read("deploy/nats/accounts.conf")).unwrap();
    fs::create_dir(folder.join("secrets")).unwrap();
    // Without the variables of `nats.conf`, which would be unknown settings.
    let text: String = secrets("r1", "o1", "x1", &[]).split_inclusive('\n').take(2).collect();
    fs::write(folder.join("secrets/nats.conf"), text).unwrap();
    fs::write(folder.join("nats.conf"), "include ./accounts.conf\n").unwrap();
    NatsServer::start_in(directory, Some("nats.conf")).await
}

async fn connect(server: &NatsServer, name: &str, password: &str, inbox: &str) -> Result<User, String> {
    let (reported, events) = mpsc::unbounded_channel();
    let options = ConnectOptions::with_user_and_password(name.to_owned(), password.to_owned())
        .custom_inbox_prefix(inbox)
        .request_timeout(Some(TIMEOUT))
        .event_callback(move |event| {
            if let Event::ServerError(error) = event {
                let _ = reported.send(error.to_string().to_lowercase());
            }
            std::future::ready(())
        });
    let address = server.address.to_string();
    let client = options.connect(&address).await.map_err(|error| error.to_string())?;
    Ok(User { client, events })
}

impl User {
    /// Sends a request to JetStream, which must succeed.
    async fn ask(&self, api: &str, body: Value) -> Value {
        let message = self.client.request(format!("$JS.API.{api}"), body.to_string().into()).await;
        let message = message.unwrap_or_else(|error| panic!("{api}: {error}"));
        let answer: Value = serde_json::from_slice(&message.payload).unwrap_or_default();
        assert_eq!(answer["error"], Value::Null, "{api}");
        answer
    }

    /// Waits until the server refuses something with this subject.
    async fn is_refused(&mut self, subject: &str) {
        self.client.flush().await.unwrap();
        let reported = timeout(TIMEOUT, self.events.recv()).await;
        let reported = reported.unwrap_or_else(|_| panic!("{subject} is permitted")).unwrap();
        assert!(reported.contains("permissions violation"), "{reported}");
        assert!(reported.contains(&format!("\"{}\"", subject.to_lowercase())), "{subject}: {reported}");
    }

    async fn cannot_publish_to(&mut self, subject: &str) {
        self.client.publish(subject.to_owned(), "".into()).await.unwrap();
        self.is_refused(subject).await;
    }

    async fn cannot_hear(&mut self, subject: &str) {
        let subscription = self.client.subscribe(subject.to_owned()).await.unwrap();
        self.is_refused(subject).await;
        drop(subscription);
    }
}

fn stream(number: usize) -> Value {
    json!({
        "name": format!("sealwire-{number}"),
        "subjects": [format!("sealwire.{number}.>")],
        "storage": "memory",
        "allow_direct": true,
        "republish": { "src": format!("sealwire.{number}.>"), "dest": format!("sealwire.live.{number}.>") },
    })
}

#[tokio::test]
async fn the_relays_can_do_with_their_user_of_nats_what_they_need_and_nothing_else() {
    let server = start().await;
    for (name, password) in [("relay", "o1"), ("operator", "r1"), ("", "")] {
        assert!(connect(&server, name, password, "_INBOX.sealwire").await.is_err(), "{name}");
    }
    let mut relay = connect(&server, "relay", "r1", "_INBOX.sealwire").await.unwrap();
    for number in 0..4 {
        let name = format!("sealwire-{number}");
        relay.ask(&format!("STREAM.CREATE.{name}"), stream(number)).await;
        let mut live = relay.client.subscribe(format!("sealwire.live.{number}.c.00")).await.unwrap();
        let stored = relay.client.request(format!("sealwire.{number}.c.00"), "sealed".into()).await.unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&stored.payload).unwrap()["seq"], 1);
        let delivered = timeout(TIMEOUT, live.next()).await.unwrap().unwrap();
        assert_eq!(&*delivered.payload, b"sealed");
        let first = json!({ "seq": 1 });
        relay.ask(&format!("STREAM.INFO.{name}"), json!({})).await;
        relay.ask(&format!("STREAM.MSG.GET.{name}"), first.clone()).await;
        relay.ask(&format!("DIRECT.GET.{name}"), first).await;
    }
    let revocations = json!({ "name": "sealwire-revocations", "subjects": ["sealwire.revocations.>"], "storage": "memory" });
    for api in ["CREATE", "UPDATE"] {
        relay.ask(&format!("STREAM.{api}.sealwire-revocations"), revocations.clone()).await;
    }
    let mut revoked = relay.client.subscribe("sealwire.revocations.*.*").await.unwrap();
    relay.client.request("sealwire.revocations.a.b", "revocation".into()).await.unwrap();
    timeout(TIMEOUT, revoked.next()).await.unwrap().unwrap();
    relay.ask("STREAM.MSG.GET.sealwire-revocations", json!({ "seq": 1 })).await;
    for api in ["INFO", "PURGE"] {
        relay.ask(&format!("STREAM.{api}.sealwire-revocations"), json!({})).await;
    }
    let mut gossip = relay.client.subscribe("sealwire.relays.1").await.unwrap();
    relay.client.publish("sealwire.relays.1", "gossip".into()).await.unwrap();
    timeout(TIMEOUT, gossip.next()).await.unwrap().unwrap();

    for subject in [
        "sealwire.live.0.c.00",
        "other.0.c.00",
        "$JS.API.INFO",
        "$JS.API.STREAM.LIST",
        "$JS.API.STREAM.CREATE.other-0",
        "$JS.API.STREAM.CREATE.sealwire-4",
        "$JS.API.STREAM.UPDATE.sealwire-0",
        "$JS.API.STREAM.DELETE.sealwire-0",
        "$JS.API.STREAM.DELETE.sealwire-revocations",
        "$JS.API.STREAM.PURGE.sealwire-0",
        "$JS.API.STREAM.MSG.DELETE.sealwire-0",
        "$JS.API.STREAM.MSG.GET.other-0",
        "$JS.API.DIRECT.GET.other-0",
        "$JS.API.CONSUMER.CREATE.sealwire-0",
        "$SYS.REQ.SERVER.PING",
    ] {
        relay.cannot_publish_to(subject).await;
    }
    for subject in [">", "sealwire.>", "sealwire.0.c.00", "other.live.>", "_INBOX.>", "$JS.EVENT.>", "$SYS.>"]
    {
        relay.cannot_hear(subject).await;
    }
}

#[tokio::test]
async fn the_operators_user_of_nats_manages_streams_and_hears_no_message() {
    let server = start().await;
    let relay = connect(&server, "relay", "r1", "_INBOX.sealwire").await.unwrap();
    relay.ask("STREAM.CREATE.sealwire-0", stream(0)).await;
    let mut operator = connect(&server, "operator", "o1", "_INBOX.operator").await.unwrap();
    assert_eq!(operator.ask("STREAM.LIST", json!({})).await["total"], 1);
    for subject in [">", "sealwire.live.>", "sealwire.relays.>", "_INBOX.sealwire.>"] {
        operator.cannot_hear(subject).await;
    }
    operator.cannot_publish_to("sealwire.0.c.00").await;
    operator.ask("STREAM.DELETE.sealwire-0", json!({})).await;
    assert!(connect(&server, "system", "o1", "_INBOX").await.is_ok());
}
