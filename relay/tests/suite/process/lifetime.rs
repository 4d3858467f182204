//! How sessions end, and how they go on.

use crate::support::{App, Client, INSTALLATION, RelayProcess, channel, now};
use sealwire_protocol::{
    Code,
    tokens::Permissions,
    wire::{Channel, Refresh, ToClient, ToRelay},
};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn unix_millis() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()
}

#[tokio::test]
async fn an_expired_session_is_disconnected_within_a_second() {
    let relay = RelayProcess::start(&[]);
    let exp = now() + 2;
    let mut client = Client::open_with(&relay, App::one().session_until("alice", exp)).await;
    client.subscribe("absences").await;
    let farewell = client.must_end_with(Code::TokenExpired).await;
    let late = unix_millis() as i128 - i128::from(exp) * 1000 - farewell.at.elapsed().as_millis() as i128;
    assert!((0..1000).contains(&late), "{late} ms after exp");
}

#[tokio::test]
async fn a_refreshed_session_stays_and_loses_nothing() {
    let relay = RelayProcess::start(&[]);
    let mut publisher = Client::open(&relay, "alice").await;
    let mut client = Client::open_with(&relay, App::one().session_until("bob", now() + 2)).await;
    client.subscribe("absences").await;
    let request = client.request();
    let token = App::one().session_until("bob", now() + 60);
    client.send(ToRelay::Refresh(Refresh { request, token, ..Refresh::default() })).await;
    assert!(matches!(client.next().await, ToClient::Refreshed(_)));
    let end = Instant::now() + Duration::from_millis(3500);
    let mut sent = 0;
    while Instant::now() < end {
        publisher.publish("absences", &sent.to_string()).await;
        assert_eq!(client.text().await, sent.to_string());
        sent += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_subscription_ends_with_its_channel_token_and_the_session_stays() {
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "alice").await;
    let exp = now() + 2;
    let token = App::one().channel_token_in(INSTALLATION, "absences", 1, Permissions::ALL, exp);
    let with_claims = Channel { token: token.clone(), ..channel("absences") };
    let ToClient::Subscribed(subscribed) = client.try_subscribe(with_claims.clone(), None, &[]).await else {
        panic!()
    };
    let ToClient::Ended(ended) = client.next().await else { panic!() };
    assert_eq!(ended.channel_id(), subscribed.channel_id());
    assert_eq!(ended.code, Code::TokenExpired.number());
    let late = unix_millis() as i128 - i128::from(exp) * 1000;
    assert!((0..1000).contains(&late), "{late} ms after exp");
    // A fresh token opens it again.
    let token = App::one().channel_token("absences", 1, Permissions::ALL, now() + 60);
    match client.try_subscribe(Channel { token, ..with_claims }, None, &[]).await {
        ToClient::Subscribed(again) => assert_eq!(again.channel_id(), subscribed.channel_id()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_silent_client_is_closed_after_two_heartbeats_and_one_that_answers_is_not() {
    let relay = RelayProcess::start(&["--heartbeat", "200ms"]);
    let mut silent = Client::open(&relay, "alice").await;
    let mut answering = Client::open(&relay, "bob").await;
    let start = Instant::now();
    // Reads, and answers nothing.
    let farewell = silent.must_end_with(Code::HeartbeatTimeout);
    let (farewell, _) = tokio::join!(farewell, async {
        for _ in 0..5 {
            assert!(answering.is_quiet().await);
        }
    });
    assert!(farewell.at - start < Duration::from_secs(3));
    answering.publish("absences", "still here").await;
}

#[tokio::test]
async fn a_relay_that_is_told_to_end_says_goodbye_to_everyone() {
    for signal in ["TERM", "INT"] {
        let mut relay = RelayProcess::start(&[]);
        let mut open = Client::open(&relay, "alice").await;
        let mut before_hello = Client::connect(relay.address).await;
        relay.signal(signal);
        let goodbye = open.must_end_with(Code::ShuttingDown).await.goodbye.unwrap();
        assert!((500..4000).contains(&goodbye.reconnect_after_ms));
        before_hello.must_end_with(Code::ShuttingDown).await;
        drop((open, before_hello));
        let status = tokio::task::spawn_blocking(move || relay.child.wait().unwrap()).await.unwrap();
        assert!(status.success());
    }
}
