//! The interface for other brokers: a complete relay in front of a broker that is slow or unreachable.

use crate::support::{App, Client, FakeCollector, channel, rand_id, sealed};
use sealwire_protocol::{
    ChannelId, Code, UnixMillis,
    tokens::Keyring,
    wire::{Position, Since, ToClient},
};
use sealwire_relay::{
    Broker, BrokerError, BrokerFuture, Config, Deliveries, Draft, Hub, HubLimits, Now, Publication,
    PublishReceipt, Relay, Replay, Settings, Tenant, TraceContext,
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;

/// A simulated remote broker. Its answers are late, its deliveries come before them, and it can become unavailable.
struct Remote {
    hub: Mutex<Hub>,
    deliveries: Deliveries,
    away: AtomicBool,
    latency: Duration,
    subscriptions: Mutex<HashMap<ChannelId, usize>>,
}

struct Handle(Arc<Remote>);

impl Broker for Handle {
    fn publish(&self, mut draft: Draft) -> BrokerFuture<PublishReceipt> {
        let remote = self.0.clone();
        // Between machines, the trace of a message is text.
        let traceparent = draft.trace.map(|trace| trace.to_traceparent());
        draft.trace = traceparent.and_then(|text| TraceContext::from_traceparent(&text)).map(Box::new);
        Box::pin(async move {
            if remote.away.load(Ordering::Relaxed) {
                return Err(BrokerError::Unavailable);
            }
            let room = remote.deliveries.reserve(draft.tenant, draft.sealed.len()).await;
            let outcome = {
                let mut hub = remote.hub.lock().unwrap();
                let outcome = hub.publish(draft, Now::read())?;
                if let Some(publication) = &outcome.publication {
                    remote.deliveries.deliver(publication.clone(), room);
                }
                outcome
            };
            sleep(remote.latency).await;
            Ok(outcome.receipt)
        })
    }

    fn subscribe(&self, tenant: Tenant, channel: ChannelId, since: Option<Since>) -> BrokerFuture<Replay> {
        let remote = self.0.clone();
        Box::pin(async move {
            sleep(remote.latency / 2).await;
            if remote.away.load(Ordering::Relaxed) {
                return Err(BrokerError::Unavailable);
            }
            let replay = remote.hub.lock().unwrap().subscribe(tenant, channel, since, Now::read());
            *remote.subscriptions.lock().unwrap().entry(channel).or_default() += 1;
            // Later publications are not in the replay, and are delivered before the answer.
            sleep(remote.latency / 2).await;
            Ok(replay)
        })
    }

    fn unsubscribe(&self, channel: ChannelId) {
        self.0.hub.lock().unwrap().unsubscribe(channel, Now::read());
        *self.0.subscriptions.lock().unwrap().entry(channel).or_default() -= 1;
    }
}

async fn relay(latency: Duration) -> (Relay, Arc<Remote>) {
    relay_with(latency, Settings::default()).await
}

async fn relay_with(latency: Duration, settings: Settings) -> (Relay, Arc<Remote>) {
    let mut keyring = Keyring::default();
    keyring.insert(&App::one().id, App::one().key).unwrap();
    let settings = Settings { listen: "127.0.0.1:0".parse().unwrap(), ..settings };
    let config = Config { settings, keyring, ..Config::default() };
    let limits = HubLimits {
        replay_window: config.settings.replay_window,
        replay_bytes: config.settings.replay_bytes,
    };
    let mut remote = None;
    let relay = Relay::start_with_broker(config, |deliveries| {
        let made = Arc::new(Remote {
            hub: Mutex::new(Hub::new(42, limits, Now::read())),
            deliveries,
            away: AtomicBool::new(false),
            latency,
            subscriptions: Mutex::default(),
        });
        remote = Some(made.clone());
        Arc::new(Handle(made))
    });
    (relay.await.unwrap(), remote.unwrap())
}

async fn open(relay: &Relay, account: &str) -> Client {
    let mut client = Client::connect(relay.endpoint().address().unwrap()).await;
    client.hello(App::one().session(account)).await;
    client
}

#[tokio::test]
async fn publications_that_arrive_before_the_brokers_answer_are_delivered_after_it() {
    let (relay, _) = relay(Duration::from_millis(200)).await;
    let mut publisher = open(&relay, "alice").await;
    let mut joining = open(&relay, "bob").await;
    let before = publisher.publish("absences", "before").await.position.unwrap();
    assert_eq!(before.epoch, 42);
    // The client subscribes while messages are published: some are in the replay, others arrive before the answer.
    let since = Some(Since::Position(Position { epoch: 42, offset: 0, time_ms: 0 }));
    let publish = async {
        let mut publishers = Vec::new();
        for message in 0..6 {
            let mut publisher = open(&relay, "alice").await;
            sleep(Duration::from_millis(20)).await;
            publishers.push(tokio::spawn(async move {
                publisher.publish("absences", &message.to_string()).await;
            }));
        }
        for publisher in publishers {
            publisher.await.unwrap();
        }
    };
    let read = async {
        let subscribed = joining.subscribe_since("absences", since).await;
        let mut previous = subscribed.position.unwrap().offset;
        let mut texts = Vec::new();
        for _ in 0..7 {
            let publication = joining.publication().await;
            assert_eq!(publication.previous_offset, previous);
            previous = publication.offset;
            texts.push(String::from_utf8(publication.sealed[80..].to_vec()).unwrap());
        }
        texts
    };
    let ((), texts) = tokio::join!(publish, read);
    assert_eq!(texts, ["before", "0", "1", "2", "3", "4", "5"]);
    // The publisher also subscribes. It gets its acknowledgement first, although the broker delivers long before it
    // answers.
    publisher.subscribe("absences").await;
    publisher.publish("absences", "own").await;
    assert_eq!(publisher.text().await, "own");
}

#[tokio::test]
async fn an_unreachable_broker_fails_requests_and_keeps_sessions() {
    let (relay, remote) = relay(Duration::ZERO).await;
    let mut client = open(&relay, "alice").await;
    client.subscribe("rotation").await;
    remote.away.store(true, Ordering::Relaxed);
    let failed = client.refused_subscribe(channel("absences")).await;
    assert_eq!(failed.code, Code::BrokerUnavailable.number());
    assert!(failed.retry_after_ms > 0);
    match client.try_publish(channel("absences"), "", sealed("x"), rand_id()).await {
        ToClient::Failed(failed) => assert_eq!(failed.code, Code::BrokerUnavailable.number()),
        other => panic!("{other:?}"),
    }
    remote.away.store(false, Ordering::Relaxed);
    client.subscribe("absences").await;
    client.publish("absences", "back").await;
    assert_eq!(client.text().await, "back");
}

#[tokio::test]
async fn every_join_of_a_channel_at_the_broker_is_followed_by_one_leave() {
    let (relay, remote) = relay(Duration::from_millis(50)).await;
    let count = || remote.subscriptions.lock().unwrap().values().sum::<usize>();
    let mut client = open(&relay, "alice").await;
    client.subscribe("absences").await;
    client.subscribe("absences").await;
    client.subscribe("rotation").await;
    assert_eq!(count(), 2);
    drop(client);
    for _ in 0..200 {
        if count() == 0 {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(count(), 0);
    relay.shut_down().await;
}

#[tokio::test]
async fn a_trace_crosses_the_broker_as_a_traceparent_and_includes_its_time() {
    let collector = FakeCollector::start().await;
    let settings = Settings {
        otlp_endpoint: Some(format!("http://{}", collector.address).parse().unwrap()),
        trace_ratio: "1".parse().unwrap(),
        ..Settings::default()
    };
    let (relay, remote) = relay_with(Duration::from_millis(200), settings).await;
    let mut publisher = open(&relay, "alice").await;
    publisher.publish("absences", "hello").await;
    remote.away.store(true, Ordering::Relaxed);
    publisher.try_publish(channel("absences"), "", sealed("late"), rand_id()).await;
    relay.shut_down().await;
    let publications = collector.until("publish", 2).await;
    let acknowledgements = collector.until("acknowledge", 2).await;
    let delivery = &collector.until("deliver", 1).await[0];
    assert_eq!((&delivery.parent, &delivery.trace), (&publications[0].id, &publications[0].trace));
    assert_eq!(acknowledgements[0].parent, publications[0].id);
    assert!(acknowledgements[0].nanos >= 200_000_000, "{acknowledgements:#?}");
    assert_eq!(acknowledgements[1].attribute("error.type"), "BROKER_UNAVAILABLE");
    assert_eq!(publications[1].attribute("error.type"), "BROKER_UNAVAILABLE");
}

#[test]
fn a_broker_can_create_publications() {
    let draft = Draft {
        channel: ChannelId([3; 16]),
        tenant: Tenant::default(),
        event: "added".into(),
        sealed: sealed("x"),
        id: rand_id(),
        content: None,
        trace: None,
    };
    let publication = Publication::new(draft, 9, 4, UnixMillis(7));
    let ToClient::Publication(message) = ToClient::from_bytes(publication.message()).unwrap() else {
        panic!()
    };
    assert_eq!((message.offset, message.previous_offset, message.time_ms), (9, 4, 7));
    assert!(publication.frame().ends_with(&publication.message()));
}
