//! Several sessions on one connection: each with its own token, rules and channels.

use crate::support::{App, Client, RelayProcess, now, sealed};
use sealwire_protocol::{
    Code, limits,
    wire::{End, Hello, Ping, Session, ToClient, ToRelay},
};

async fn turn(client: &mut Client, number: u32) {
    client.send(ToRelay::Session(Session { number })).await;
}

async fn begin(client: &mut Client, number: u32, token: String) {
    turn(client, number).await;
    client.send(ToRelay::Hello(Hello { token })).await;
    assert_eq!(client.next().await, ToClient::Session(Session { number }));
    assert!(matches!(client.next().await, ToClient::Welcome(_)));
}

#[tokio::test]
async fn each_session_gets_what_is_for_it() {
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "alice").await;
    client.subscribe("first").await;
    begin(&mut client, 1, App::one().session("bob")).await;
    client.subscribe("second").await;
    client.subscribe("both").await;
    turn(&mut client, 0).await;
    client.send(ToRelay::Ping(Ping {})).await;
    assert_eq!(client.next().await, ToClient::Session(Session { number: 0 }));
    assert!(matches!(client.next().await, ToClient::Pong(_)));
    client.subscribe("both").await;

    let mut publisher = Client::open(&relay, "carol").await;
    publisher.publish("first", "1").await;
    assert_eq!(client.text().await, "1");
    publisher.publish("second", "2").await;
    assert_eq!(client.next().await, ToClient::Session(Session { number: 1 }));
    assert_eq!(client.text().await, "2");
    // Both sessions have joined it, and each gets it.
    publisher.publish("both", "3").await;
    let mut turns = Vec::new();
    let mut copies = 0;
    while copies < 2 {
        match client.next().await {
            ToClient::Session(Session { number }) => turns.push(number),
            ToClient::Publication(publication) => {
                assert_eq!(publication.sealed, sealed("3"));
                copies += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(turns == [0] || turns == [0, 1], "{turns:?}");
}

#[tokio::test]
async fn a_session_that_ends_leaves_the_connection_to_the_others() {
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "alice").await;
    client.subscribe("kept").await;
    begin(&mut client, 7, App::one().session("bob")).await;
    client.subscribe("left").await;
    client.send(ToRelay::End(End {})).await;
    // What still comes for it is ignored, and its number is not used again.
    client.send(ToRelay::Ping(Ping {})).await;
    turn(&mut client, 7).await;
    client.send(ToRelay::Hello(Hello { token: App::one().session("bob") })).await;
    // Once this is answered, all of that has been read.
    turn(&mut client, 0).await;
    client.send(ToRelay::Ping(Ping {})).await;
    assert_eq!(client.next().await, ToClient::Session(Session { number: 0 }));
    assert!(matches!(client.next().await, ToClient::Pong(_)));
    let mut publisher = Client::open(&relay, "carol").await;
    publisher.publish("left", "1").await;
    publisher.publish("kept", "2").await;
    assert_eq!(client.text().await, "2");
}

#[tokio::test]
async fn a_session_that_is_refused_or_expires_is_told_and_the_others_go_on() {
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "alice").await;
    client.subscribe("kept").await;
    begin(&mut client, 1, App::one().session_until("bob", now() + 2)).await;
    turn(&mut client, 2).await;
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
async fn the_last_session_takes_the_connection_along() {
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "alice").await;
    begin(&mut client, 1, App::one().session("bob")).await;
    client.send(ToRelay::End(End {})).await;
    turn(&mut client, 0).await;
    client.send(ToRelay::Hello(Hello { token: App::one().session("alice") })).await;
    client.must_end_with(Code::HelloExpected).await;
}

#[tokio::test]
async fn sessions_past_the_limit_are_refused_one_by_one() {
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "alice").await;
    let limit = u32::try_from(limits::MAX_SESSIONS).unwrap();
    for number in 1..limit {
        begin(&mut client, number, App::one().session("bob")).await;
    }
    turn(&mut client, limit).await;
    client.send(ToRelay::Hello(Hello { token: App::one().session("bob") })).await;
    assert_eq!(client.next().await, ToClient::Session(Session { number: limit }));
    let ToClient::Goodbye(goodbye) = client.next().await else { panic!() };
    assert_eq!(goodbye.code, Code::Overloaded.number());
    // With one gone there is room again.
    turn(&mut client, 3).await;
    client.send(ToRelay::End(End {})).await;
    begin(&mut client, limit + 1, App::one().session("bob")).await;
}
