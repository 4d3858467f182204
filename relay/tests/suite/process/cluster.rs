//! Several relays on one NATS server: revocations and limits are common to all of them.

use super::revocation::{disconnect, is_let_in};
use crate::support::{
    APP, App, Client, ConsoleStream, INSTALLATION, NatsServer, RelayProcess, Scrape, batch, post, request,
};
use futures_util::StreamExt as _;
use sealwire_protocol::Code;
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// The longest time until a relay is ready, or has heard of something at another one.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Starts a relay of the cluster.
fn relay_on(nats: &NatsServer, flags: &[&str]) -> RelayProcess {
    let broker = format!("nats://{}", nats.address);
    let shared = ["--broker", &broker, "--broker-replicas", "1", "--broker-timeout", "1s"];
    RelayProcess::start(&[&shared, flags].concat())
}

async fn status(relay: &RelayProcess, path: &str) -> u16 {
    request(relay.address, "GET", path, "", "").await.status
}

/// Waits until the relay has this readiness.
async fn await_ready(relay: &RelayProcess, ready: u16) {
    let deadline = Instant::now() + TIMEOUT;
    while status(relay, "/readyz").await != ready {
        assert!(Instant::now() < deadline, "/readyz is not {ready}: {}", relay.log());
        sleep(Duration::from_millis(20)).await;
    }
}

pub(super) async fn ready_relay_on(nats: &NatsServer, flags: &[&str]) -> RelayProcess {
    let relay = relay_on(nats, flags);
    await_ready(&relay, 200).await;
    relay
}

/// Revokes the sessions of an account at a relay.
async fn revoke(relay: &RelayProcess, account: &str) -> crate::support::Answer {
    disconnect(relay, &App::one().backend(), &json!({ "account": account })).await
}

#[tokio::test]
async fn a_revocation_at_one_relay_ends_the_sessions_at_all_and_outlives_the_relays() {
    let nats = NatsServer::start().await;
    let (first, second) = (ready_relay_on(&nats, &[]).await, ready_relay_on(&nats, &[]).await);
    let token = App::one().session("mallory");
    let mut session = Client::open_with(&second, token.clone()).await;
    let _bystander = Client::open(&second, "alice").await;
    let asked = Instant::now();
    assert_eq!(revoke(&first, "mallory").await.status, 200);
    session.must_end_with(Code::Revoked).await;
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    for relay in [&first, &second] {
        assert!(!is_let_in(relay, &token).await);
        assert!(is_let_in(relay, &App::one().session("alice")).await);
    }
    // All relays restart at once.
    drop((first, second));
    let third = ready_relay_on(&nats, &[]).await;
    assert!(!is_let_in(&third, &token).await);
    assert!(is_let_in(&third, &App::one().session("alice")).await);
}

#[tokio::test]
async fn revocations_outlive_the_memory_of_the_broker_as_long_as_one_relay_runs() {
    let mut nats = NatsServer::start().await;
    let first = ready_relay_on(&nats, &[]).await;
    let token = App::one().session("mallory");
    let answer = revoke(&first, "mallory").await;
    assert_eq!(answer.status, 200, "{answer:?} {}", first.log());
    nats.stop();
    await_ready(&first, 503).await;
    // The relay serves its clients meanwhile.
    assert_eq!(status(&first, "/healthz").await, 200);
    assert!(!is_let_in(&first, &token).await);
    let _client = Client::open(&first, "alice").await;
    nats.restart().await;
    await_ready(&first, 200).await;
    drop(first);
    let second = ready_relay_on(&nats, &[]).await;
    assert!(!is_let_in(&second, &token).await);
}

#[tokio::test]
async fn a_relay_without_its_broker_revokes_locally_says_so_and_passes_it_on_later() {
    let mut nats = NatsServer::start().await;
    let (first, second) = (ready_relay_on(&nats, &[]).await, ready_relay_on(&nats, &[]).await);
    let token = App::one().session("mallory");
    let mut here = Client::open_with(&first, token.clone()).await;
    let mut there = Client::open_with(&second, token.clone()).await;
    nats.stop();
    let answer = revoke(&first, "mallory").await;
    assert_eq!((answer.status, answer.code()), (503, "BROKER_UNAVAILABLE"));
    assert!(answer.body["error"]["retryAfterMs"].as_u64().unwrap() > 0, "{answer:?}");
    here.must_end_with(Code::Revoked).await;
    assert!(!is_let_in(&first, &token).await && is_let_in(&second, &token).await);
    // A relay that starts now admits nobody, because it does not know who is revoked.
    let late = relay_on(&nats, &[]);
    assert_eq!((status(&late, "/healthz").await, status(&late, "/readyz").await), (200, 503));
    let mut refused = Client::connect(late.address).await;
    refused.refused_hello(App::one().session("alice"), Code::BrokerUnavailable).await;
    nats.restart().await;
    there.must_end_with(Code::Revoked).await;
    await_ready(&late, 200).await;
    assert!(!is_let_in(&late, &token).await);
}

#[tokio::test]
async fn the_publish_rate_holds_for_all_relays_together() {
    let nats = NatsServer::start().await;
    let flags = ["--publish-rate", "100", "--publish-burst", "200"];
    let relays = [ready_relay_on(&nats, &flags).await, ready_relay_on(&nats, &flags).await];
    let start = Instant::now();
    let flood = async |relay: &RelayProcess| {
        let mut accepted = 0;
        while start.elapsed() < Duration::from_secs(6) {
            let answer = post(relay.address, &App::one().backend(), &batch(10)).await;
            match answer.status {
                200 => accepted += 10,
                429 => sleep(Duration::from_millis(10)).await,
                _ => panic!("{answer:?}"),
            }
        }
        accepted
    };
    let accepted: (u64, u64) = tokio::join!(flood(&relays[0]), flood(&relays[1]));
    let seconds = start.elapsed().as_secs_f64();
    // One burst each, the rate, and what one relay accepts before the other hears of it (half a second on a busy machine).
    let most = 2.0 * 200.0 + 100.0 * (seconds + 0.5);
    assert!(((accepted.0 + accepted.1) as f64) <= most, "{accepted:?} > {most}");
    assert!(accepted.0 + accepted.1 >= 600, "{accepted:?}");
}

#[tokio::test]
async fn a_session_limit_counts_the_sessions_at_all_relays() {
    let nats = NatsServer::start().await;
    let flags = ["--max-sessions-per-account", "3"];
    let (first, second) = (ready_relay_on(&nats, &flags).await, ready_relay_on(&nats, &flags).await);
    let open = async |relay: &RelayProcess| Client::open(relay, "alice").await;
    let sessions = [open(&first).await, open(&first).await, open(&first).await];
    // The other relay refuses once it has heard of them.
    let token = App::one().session("alice");
    let is_refused = async || {
        let mut client = Client::connect(second.address).await;
        client
            .send(sealwire_protocol::wire::ToRelay::Hello(sealwire_protocol::wire::Hello {
                token: token.clone(),
            }))
            .await;
        match client.next().await {
            sealwire_protocol::wire::ToClient::Welcome(_) => false,
            sealwire_protocol::wire::ToClient::Goodbye(goodbye) => {
                assert_eq!(Code::from_number(goodbye.code), Some(Code::TooManyConnections));
                true
            }
            other => panic!("{other:?}"),
        }
    };
    let until = async |refused: bool| {
        let deadline = Instant::now() + TIMEOUT;
        while is_refused().await != refused {
            assert!(Instant::now() < deadline, "sessions are not refused: {refused}");
            sleep(Duration::from_millis(20)).await;
        }
    };
    until(true).await;
    assert!(is_let_in(&second, &App::one().session("bob")).await);
    // The clients of a relay that died may come to the other one.
    drop(first);
    until(false).await;
    drop(sessions);
}

#[tokio::test]
async fn a_stranger_at_the_broker_sees_no_names_and_revokes_nothing() {
    let nats = NatsServer::start().await;
    let stranger = async_nats::connect(nats.address.to_string()).await.unwrap();
    let mut seen = stranger.subscribe("sealwire.>").await.unwrap();
    let flags = ["--max-sessions-per-account", "1"];
    let (first, second) = (ready_relay_on(&nats, &flags).await, ready_relay_on(&nats, &flags).await);
    let mut session = Client::open(&second, "alice").await;
    assert_eq!(post(first.address, &App::one().backend(), &batch(100)).await.status, 200);
    assert_eq!(revoke(&first, "mallory").await.status, 200);
    let (mut reports, mut revocations) = (0, Vec::new());
    while reports < 20 || revocations.is_empty() {
        let message = timeout(TIMEOUT, seen.next()).await.unwrap().unwrap();
        let text = format!("{} {}", message.subject, String::from_utf8_lossy(&message.payload));
        for name in [APP, INSTALLATION, "alice", "mallory", "absences", "dashboard"] {
            assert!(!text.contains(name), "{text}");
        }
        match &*message.subject {
            subject if subject.starts_with("sealwire.relays.") => reports += 1,
            subject if subject.starts_with("sealwire.revocations.") && subject.matches('.').count() == 3 => {
                revocations.push(message);
            }
            _ => {}
        }
    }
    // A revocation with another time, one of another name, and noise where the relays listen.
    let revocation = &revocations[0];
    for position in 0..revocation.payload.len() {
        let mut forged = revocation.payload.to_vec();
        forged[position] ^= 1;
        stranger.publish(revocation.subject.clone(), forged.into()).await.unwrap();
    }
    stranger.publish("sealwire.revocations.a.b", vec![8, 1].into()).await.unwrap();
    stranger.publish("sealwire.relays.00000000000000ff", vec![0xff; 1000].into()).await.unwrap();
    stranger.flush().await.unwrap();
    drop(first);
    let third = ready_relay_on(&nats, &[]).await;
    for relay in [&second, &third] {
        assert!(!is_let_in(relay, &App::one().session("mallory")).await);
        assert!(is_let_in(relay, &App::one().session("bob")).await);
    }
    assert!(session.is_quiet().await);
}

#[tokio::test]
async fn messages_that_no_relay_writes_are_ignored_and_counted() {
    const IGNORED: &str = "sealwire_broker_messages_ignored_total";
    let nats = NatsServer::start().await;
    let stranger = async_nats::connect(nats.address.to_string()).await.unwrap();
    let mut live = stranger.subscribe("sealwire.live.>").await.unwrap();
    let relay = ready_relay_on(&nats, &["--admin-listen", "127.0.0.1:0"]).await;
    let mark = timeout(TIMEOUT, live.next()).await.unwrap().unwrap();
    assert_eq!(Scrape::of(&relay).await.value(IGNORED), 0.0);
    // A mark without the stream's headers, and the relay's headers with a content that is none.
    stranger.publish(mark.subject.clone(), mark.payload).await.unwrap();
    let noise = vec![0xff; 10].into();
    stranger.publish_with_headers(mark.subject, mark.headers.unwrap(), noise).await.unwrap();
    stranger.flush().await.unwrap();
    Scrape::until(&relay, IGNORED, 2.0).await;
    assert_eq!(status(&relay, "/readyz").await, 200);
}

#[tokio::test]
async fn the_console_shows_the_relays_and_servers_of_the_cluster() {
    let nats = NatsServer::start().await;
    let admin = ["--admin-listen", "127.0.0.1:0"];
    let (first, second) = (ready_relay_on(&nats, &admin).await, ready_relay_on(&nats, &admin).await);
    let (mut of_first, mut of_second) =
        (ConsoleStream::open(&first).await, ConsoleStream::open(&second).await);
    let has_peer =
        |snapshot: &serde_json::Value| snapshot["cluster"]["others"].as_array().unwrap().len() == 1;
    let (one, two) = (of_first.find(has_peer).await, of_second.find(has_peer).await);
    assert_eq!(one["cluster"]["others"][0], two["cluster"]["relay"]);
    assert_eq!(two["cluster"]["others"][0], one["cluster"]["relay"]);
    let server = &one["cluster"]["servers"][0];
    assert_eq!((&server["connected"], &one["cluster"]["streamsFollowed"]), (&json!(true), &json!(4)));
    // A relay that died leaves the list within seconds.
    drop((of_second, second));
    of_first.find(|snapshot| snapshot["cluster"]["others"] == json!([])).await;
}
