//! Several sessions on one connection, each with its own token, permissions and channels.

use crate::support::{App, Client, RelayProcess, now, sealed};
use sealwire_protocol::{
    Code, limits,
    wire::{End, Hello, Ping, Session, ToClient, ToRelay},
};

async fn select(client: &mut Client, number: u32) {
    client.send(ToRelay::Session(Session { number })).await;
}

async fn begin(client: &mut Client, number: u32, token: String) {
    select(client, number).await;
    client.send(ToRelay::Hello(Hello { token })).await;
    assert_eq!(client.next().await, ToClient::Session(Session { number }));
    assert!(matches!(client.next().await, ToClient::Welcome(_)));
}

#[tokio::test]
async fn each_session_gets_the_messages_of_its_subscriptions() {
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "alice").await;
    client.subscribe("first").await;
    begin(&mut client, 1, App::one().session("bob")).await;
    client.subscribe("second").await;
    client.subscribe("both").await;
    select(&mut client, 0).await;
    client.send(ToRelay::Ping(Ping::default())).await;
    assert_eq!(client.next().await, ToClient::Session(Session { number: 0 }));
    assert!(matches!(client.next().await, ToClient::Pong(_)));
    client.subscribe("both").await;

    let mut publisher = Client::open(&relay, "carol").await;
    publisher.publish("first", "1").await;
    assert_eq!(client.text().await, "1");
    publisher.publish("second", "2").await;
    assert_eq!(client.next().await, ToClient::Session(Session { number: 1 }));
    assert_eq!(client.text().await, "2");
    // Both sessions are subscribed, so each gets a copy.
    publisher.publish("both", "3").await;
    let mut selected = Vec::new();
    let mut copies = 0;
    while copies < 2 {
        match client.next().await {
            ToClient::Session(Session { number }) => selected.push(number),
            ToClient::Publication(publication) => {
                assert_eq!(publication.sealed, sealed("3"));
                copies += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(selected == [0] || selected == [0, 1], "{selected:?}");
}

#[tokio::test]
async fn a_session_that_ends_leaves_the_connection_open_for_the_others() {
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "alice").await;
    client.subscribe("kept").await;
    begin(&mut client, 7, App::one().session("bob")).await;
    client.subscribe("left").await;
    client.send(ToRelay::End(End {})).await;
    // Later messages for the ended session are ignored, and its number cannot be used again.
    client.send(ToRelay::Ping(Ping::default())).await;
    select(&mut client, 7).await;
    client.send(ToRelay::Hello(Hello { token: App::one().session("bob") })).await;
    // The relay has read all of them once it answers this ping.
    select(&mut client, 0).await;
    client.send(ToRelay::Ping(Ping::default())).await;
    assert_eq!(client.next().await, ToClient::Session(Session { number: 0 }));
    assert!(matches!(client.next().await, ToClient::Pong(_)));
    let mut publisher = Client::open(&relay, "carol").await;
    publisher.publish("left", "1").await;
    publisher.publish("kept", "2").await;
    assert_eq!(client.text().await, "2");
}

#[tokio::test]
async fn a_refused_or_expired_session_gets_a_goodbye_and_the_others_continue() {
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "alice").await;
    client.subscribe("kept").await;
    begin(&mut client, 1, App::one().session_until("bob", now() + 2)).await;
    select(&mut client, 2).await;
    client.send(ToRelay::Hello(Hello { token: "no token".into() })).await;
    assert_eq!(client.next().await, ToClient::Session(Session { number: 2 }));
    let ToClient::Goodbye(goodbye) = client.next().await else { panic!() };
    assert_eq!(goodbye.code, Code::TokenMalformed.number());
    assert_eq!(client.next().await, ToClient::Session(Session { number: 1 }));
    let ToClient::Goodbye(goodbye) = client.next().await else { panic!() };
    assert_eq!(goodbye.code, Code::TokenExpired.number());
    let mut publisher = Client::open(&relay, "carol").await;
    publisher.publish("kept", "still here").await;
    assert_eq!(client.next().await, ToClient::Session(Session { number: 0 }));
    assert_eq!(client.text().await, "still here");
}

#[tokio::test]
async fn the_end_of_the_last_session_closes_the_connection() {
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "alice").await;
    begin(&mut client, 1, App::one().session("bob")).await;
    client.send(ToRelay::End(End {})).await;
    select(&mut client, 0).await;
    client.send(ToRelay::Hello(Hello { token: App::one().session("alice") })).await;
    client.must_end_with(Code::HelloExpected).await;
}

#[tokio::test]
async fn sessions_above_the_limit_are_refused_one_by_one() {
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "alice").await;
    let limit = u32::try_from(limits::MAX_SESSIONS).unwrap();
    for number in 1..limit {
        begin(&mut client, number, App::one().session("bob")).await;
    }
    select(&mut client, limit).await;
    client.send(ToRelay::Hello(Hello { token: App::one().session("bob") })).await;
    assert_eq!(client.next().await, ToClient::Session(Session { number: limit }));
    let ToClient::Goodbye(goodbye) = client.next().await else { panic!() };
    assert_eq!(goodbye.code, Code::Overloaded.number());
    // After one session has ended, another one is accepted.
    select(&mut client, 3).await;
    client.send(ToRelay::End(End {})).await;
    begin(&mut client, limit + 1, App::one().session("bob")).await;
}
