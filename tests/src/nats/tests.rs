//! These tests start real servers: `SEALWIRE_NATS_SERVER` is the path of nats-server.

use super::*;
use crate::Fault;
use async_nats::{
    Client, ConnectOptions,
    jetstream::{self, stream},
};
use std::{
    future::Future,
    time::{Duration, Instant},
};

const TIMEOUT: Duration = Duration::from_secs(60);

/// Connects to one server and never to others.
async fn connect(
    cluster: &NatsCluster,
    index: usize,
    options: ConnectOptions,
) -> Result<Client, async_nats::ConnectError> {
    options.ignore_discovered_servers().connect(cluster.address(index).to_string()).await
}

/// Creates the stream `S` with a replica on every server, in memory.
async fn create_stream(cluster: &NatsCluster) -> jetstream::Context {
    let client = connect(cluster, 0, ConnectOptions::new()).await.unwrap();
    let context = jetstream::new(client);
    let config = stream::Config {
        name: "S".into(),
        subjects: vec!["s.>".into()],
        storage: stream::StorageType::Memory,
        num_replicas: cluster.size(),
        ..stream::Config::default()
    };
    // A slow machine may not answer the first request in time. To create the same stream again is no error.
    eventually("a stream", async || context.create_stream(config.clone()).await.ok()).await;
    assert!(cluster.await_ready(TIMEOUT));
    context
}

async fn publish(context: &jetstream::Context) -> Result<u64, String> {
    let sent = context.publish("s.a", "payload".into()).await.map_err(|error| error.to_string())?;
    Ok(sent.await.map_err(|error| error.to_string())?.sequence)
}

async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut attempt: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        if let Some(value) = attempt().await {
            return value;
        }
        assert!(Instant::now() < deadline, "not within {TIMEOUT:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_single_server_stores_messages_and_ends_with_the_value() {
    let cluster = NatsCluster::start(1, NatsOptions::default());
    let context = create_stream(&cluster).await;
    assert_eq!(publish(&context).await, Ok(1));
    assert_eq!(cluster.streams(), ["S"]);
    let address = cluster.address(0);
    drop(cluster);
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[tokio::test]
async fn another_server_leads_the_stream_after_its_leader_was_killed() {
    let cluster = NatsCluster::start(3, NatsOptions::default());
    create_stream(&cluster).await;
    let first = cluster.leader_of("S").unwrap();
    cluster.kill(first);
    assert!(!cluster.is_running(first) && !cluster.await_ready(TIMEOUT));
    let second =
        eventually("another leader", async || cluster.leader_of("S").filter(|now| *now != first)).await;
    let context = jetstream::new(connect(&cluster, second, ConnectOptions::new()).await.unwrap());
    assert_eq!(eventually("a publication", async || publish(&context).await.ok()).await, 1);
    cluster.restart(first);
    assert!(cluster.await_ready(TIMEOUT), "{}", cluster.log_tails());
}

#[tokio::test]
async fn a_stopped_server_keeps_connections_open_and_continues_later() {
    let cluster = NatsCluster::start(1, NatsOptions::default());
    let context = create_stream(&cluster).await;
    cluster.stop(0);
    assert!(cluster.is_running(0));
    assert!(tokio::time::timeout(Duration::from_millis(500), publish(&context)).await.is_err());
    cluster.resume(0);
    // The abandoned request was sent and is stored as well.
    assert_eq!(eventually("a publication", async || publish(&context).await.ok()).await, 2);
}

#[tokio::test]
async fn a_separated_server_has_no_leader_and_the_others_have_one() {
    let cluster = NatsCluster::start(3, NatsOptions::default());
    create_stream(&cluster).await;
    let separated = cluster.leader_of("S").unwrap();
    cluster.isolate(separated, Fault::Refuse);
    cluster.cut_routes(separated);
    let others = (separated + 1) % 3;
    let context = jetstream::new(connect(&cluster, others, ConnectOptions::new()).await.unwrap());
    eventually("a publication through the majority", async || publish(&context).await.ok()).await;
    let context = jetstream::new(connect(&cluster, separated, ConnectOptions::new()).await.unwrap());
    assert!(publish(&context).await.is_err(), "the servers have another connection than their routes");
    cluster.isolate(separated, Fault::None);
    eventually("a publication through the former leader", async || publish(&context).await.ok()).await;
    assert!(cluster.await_ready(TIMEOUT));
}

#[tokio::test]
async fn users_have_their_permissions_and_a_changed_password_holds_at_once() {
    let guest = NatsUser { subscribe: Some(vec!["allowed".into()]), ..NatsUser::new("guest", "two") };
    let users = vec![NatsUser::new("relay", "one"), guest];
    let cluster = NatsCluster::start(1, NatsOptions { users: users.clone(), ..NatsOptions::default() });
    let login =
        |name: &str, password: &str| ConnectOptions::with_user_and_password(name.into(), password.into());
    assert!(connect(&cluster, 0, ConnectOptions::new()).await.is_err());
    assert!(connect(&cluster, 0, login("relay", "two")).await.is_err());
    assert!(connect(&cluster, 0, login("relay", "one")).await.is_ok());

    let (denied, mut events) = tokio::sync::mpsc::unbounded_channel();
    let options = login("guest", "two").event_callback(move |event| {
        let _ = denied.send(event.to_string());
        async {}
    });
    let client = connect(&cluster, 0, options).await.unwrap();
    let _allowed = client.subscribe("allowed").await.unwrap();
    let _other = client.subscribe("other").await.unwrap();
    let event = tokio::time::timeout(TIMEOUT, async {
        loop {
            let event = events.recv().await.unwrap();
            if event.contains("Permissions Violation") || event.contains("permissions violation") {
                return event;
            }
        }
    });
    assert!(event.await.unwrap().contains("other"));

    cluster.set_users(vec![NatsUser::new("relay", "three"), users[1].clone()]);
    eventually("the new password", async || connect(&cluster, 0, login("relay", "three")).await.ok()).await;
    assert!(connect(&cluster, 0, login("relay", "one")).await.is_err());
}

#[tokio::test]
async fn servers_with_tls_refuse_plain_text_and_strangers() {
    let cluster = NatsCluster::start(1, NatsOptions { client_certificates: true, ..NatsOptions::default() });
    let files = cluster.certificates().clone();
    let trusting = || ConnectOptions::new().require_tls(true).add_root_certificates(files.authority.clone());
    let own = trusting().add_client_certificate(files.client.clone(), files.client_key.clone());
    assert!(connect(&cluster, 0, own).await.is_ok());
    assert!(connect(&cluster, 0, trusting()).await.is_err());
    assert!(connect(&cluster, 0, ConnectOptions::new().require_tls(true)).await.is_err());
    assert!(cluster.urls().starts_with("tls://127.0.0.1:"));
}

#[tokio::test]
async fn renewed_certificates_replace_the_old_ones_at_once() {
    let cluster = NatsCluster::start(1, NatsOptions { client_certificates: true, ..NatsOptions::default() });
    let files = cluster.certificates().clone();
    let old = tempfile::tempdir().unwrap();
    let copy = |file: &std::path::Path| {
        let copy = old.path().join(file.file_name().unwrap());
        std::fs::copy(file, &copy).unwrap();
        copy
    };
    let (authority, client, client_key) =
        (copy(&files.authority), copy(&files.client), copy(&files.client_key));
    cluster.renew_certificates();
    let with = |authority: &std::path::Path, client: &std::path::Path, key: &std::path::Path| {
        let trusting = ConnectOptions::new().require_tls(true).add_root_certificates(authority.to_owned());
        trusting.add_client_certificate(client.to_owned(), key.to_owned())
    };
    let new = || with(&files.authority, &files.client, &files.client_key);
    eventually("the new certificates", async || connect(&cluster, 0, new()).await.ok()).await;
    assert!(connect(&cluster, 0, with(&authority, &files.client, &files.client_key)).await.is_err());
    assert!(connect(&cluster, 0, with(&files.authority, &client, &client_key)).await.is_err());
}
