//! Requests that a session is not permitted to make.

use super::bystanders::Bystanders;
use crate::support::{APP, App, Client, INSTALLATION, RelayProcess, channel, now, rand_id, sealed};
use bytes::Bytes;
use sealwire_protocol::{
    Code, limits,
    tokens::Permissions,
    wire::{Channel, ToClient},
};

const SUBSCRIBE_ONLY: Permissions = Permissions { subscribe: true, publish: false, presence: false };

#[tokio::test]
async fn refused_requests_affect_neither_their_session_nor_other_clients() {
    let relay = RelayProcess::start(&[]);
    let mut bystanders = Bystanders::on(&relay).await;
    let mut client = Client::open(&relay, "mallory").await;
    let app = App::one();
    let token = |name: &str, can| app.channel_token(name, 1, can, now() + 60);
    let elsewhere =
        app.channel_token_in("ari:cloud:jira::site/two", "absences", 1, Permissions::ALL, now() + 60);
    for (channel, code) in [
        (Channel { properties: vec!["board".into()], ..channel("absences") }, Code::ScopeRefused),
        (Channel { token: token("rotation", Permissions::ALL), ..channel("absences") }, Code::TokenChannel),
        (Channel { token: elsewhere, ..channel("absences") }, Code::TokenInstallation),
        (Channel { name: String::new(), ..channel("") }, Code::NameInvalid),
    ] {
        assert_eq!(client.refused_subscribe(channel).await.code, code.number());
        bystanders.must_be_untouched().await;
    }
    let read_only = Channel { token: token("absences", SUBSCRIBE_ONLY), ..channel("absences") };
    for (channel, sealed, code) in [
        (read_only, sealed("x"), Code::PermissionMissing),
        (channel("absences"), Bytes::new(), Code::MessageSize),
        (channel("absences"), vec![1; limits::MAX_SEALED + 1].into(), Code::MessageSize),
    ] {
        match client.try_publish(channel, "", sealed, rand_id()).await {
            ToClient::Failed(failed) => assert_eq!(failed.code, code.number()),
            other => panic!("{other:?}"),
        }
        bystanders.must_be_untouched().await;
    }
    client.publish("absences", "as good as before").await;

    let log = relay.log_with("MESSAGE_SIZE").await;
    let line = log.lines().find(|line| line.contains("SCOPE_REFUSED")).unwrap();
    for part in ["audit", "subscribe", "mallory", APP, INSTALLATION, "127.0.0.1"] {
        assert!(line.contains(part), "{line}");
    }
    for secret in ["absences", "rotation", "eyJ", &app.key_text] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[tokio::test]
async fn a_subscription_gets_only_the_events_of_its_filter() {
    let relay = RelayProcess::start(&[]);
    let mut publisher = Client::open(&relay, "alice").await;
    let mut subscriber = Client::open(&relay, "bob").await;
    subscriber.try_subscribe(channel("absences"), None, &["added"]).await;
    for event in ["added", "removed", "", "added"] {
        publisher.try_publish(channel("absences"), event, sealed(event), rand_id()).await;
    }
    assert_eq!(subscriber.publication().await.event, "added");
    assert_eq!(subscriber.publication().await.event, "added");
    assert!(subscriber.is_quiet().await);
}
