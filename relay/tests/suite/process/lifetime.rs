//! The lifetime of sessions and subscriptions: expiry, refresh, heartbeats and shutdown.

use crate::support::{App, Client, INSTALLATION, RelayProcess, channel, now};
use sealwire_protocol::{
    Code,
    tokens::Permissions,
    wire::{Channel, Hello, Pong, Refresh, ToClient, ToRelay},
};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::time::sleep;

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
async fn a_refreshed_session_continues_without_losing_messages() {
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
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_subscription_ends_with_its_channel_token_and_the_session_continues() {
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
    // The client can subscribe again with a fresh token.
    let token = App::one().channel_token("absences", 1, Permissions::ALL, now() + 60);
    match client.try_subscribe(Channel { token, ..with_claims }, None, &[]).await {
        ToClient::Subscribed(again) => assert_eq!(again.channel_id(), subscribed.channel_id()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_silent_client_is_disconnected_after_two_heartbeats_and_a_responding_one_is_not() {
    let relay = RelayProcess::start(&["--heartbeat", "200ms"]);
    let mut silent = Client::open(&relay, "alice").await;
    let mut answering = Client::open(&relay, "bob").await;
    let start = Instant::now();
    // This client reads, but does not answer pings.
    let farewell = silent.must_end_with(Code::HeartbeatTimeout);
    let mut farewell = std::pin::pin!(farewell);
    let farewell = loop {
        tokio::select! {
            farewell = &mut farewell => break farewell,
            is_quiet = answering.is_quiet() => assert!(is_quiet),
        }
    };
    assert!(farewell.at - start < Duration::from_secs(3));
    answering.publish("absences", "still here").await;
}

#[tokio::test]
async fn a_relay_that_is_shut_down_sends_a_goodbye_to_every_client() {
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

#[tokio::test]
async fn a_relay_that_was_suspended_keeps_the_clients_that_sent_frames_meanwhile() {
    const CLIENTS: usize = 50;
    let relay = RelayProcess::start(&["--heartbeat", "2s", "--hello-timeout", "2s"]);
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let mut client = Client::open(&relay, &format!("client-{number}")).await;
        client.subscribe("absences").await;
        clients.push(client);
    }
    let mut silent = Client::open(&relay, "silent").await;
    let mut late = Client::connect(relay.address).await;
    relay.signal("STOP");
    // Every client sends frames during the pause, which is longer than two heartbeats.
    for _ in 0..10 {
        for client in &mut clients {
            client.send(ToRelay::Pong(Pong {})).await;
        }
        sleep(Duration::from_millis(500)).await;
    }
    late.send(ToRelay::Hello(Hello { token: App::one().session("late") })).await;
    relay.signal("CONT");
    assert!(matches!(late.next().await, ToClient::Welcome(_)));
    late.publish("absences", "after the stop").await;
    for client in &mut clients {
        assert_eq!(client.text().await, "after the stop");
    }
    // A silent client is disconnected once the relay has had the time to read from it.
    silent.must_end_with(Code::HeartbeatTimeout).await;
}
