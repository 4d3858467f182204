//! The cost of the console at 10,000 connections: nothing while nobody looks, and little while somebody does.

use crate::support::{App, CROWD, CROWD_TURN, ConsoleStream, LightClient, RelayProcess};
use std::{fs, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};

const CLIENTS: usize = 10_000;
/// The time over which the processor time of a phase is counted.
const WINDOW: Duration = Duration::from_secs(10);
/// The share of a core that a viewer may cost. docs/performance.md has the figures of an optimized relay, which are far lower.
const MAX_SHARE: f64 = 0.05;

/// Returns the processor time of the process so far, in seconds, from the kernel's count in nanoseconds.
fn processor_time(relay: &RelayProcess) -> f64 {
    let threads = fs::read_dir(format!("/proc/{}/task", relay.child.id())).unwrap();
    let nanos = threads.map(|thread| {
        let text = fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap();
        text.split(' ').next().unwrap().parse::<f64>().unwrap()
    });
    nanos.sum::<f64>() / 1e9
}

/// Opens clients, each with a channel of its own.
async fn open_clients(relay: &RelayProcess) -> Vec<LightClient> {
    let (token, turns) = (App::one().session("alice"), Arc::new(Semaphore::new(64)));
    let (address, mut opening) = (relay.address, JoinSet::new());
    for number in 0..CLIENTS {
        let (token, turns) = (token.clone(), turns.clone());
        opening.spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            let mut client = LightClient::open(address, &token).await;
            client.subscribe(&format!("channel-{number}"), None).await;
            client
        });
    }
    opening.join_all().await
}

/// Returns the share of a core that the relay uses while `during` runs.
async fn share(relay: &RelayProcess, during: impl Future<Output = ()>) -> f64 {
    let (before, start) = (processor_time(relay), std::time::Instant::now());
    during.await;
    (processor_time(relay) - before) / start.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_ten_thousand_connections_the_console_costs_nothing_until_somebody_looks_and_little_then() {
    let _turn = CROWD_TURN.lock().await;
    // Pings would outweigh the console.
    let quiet = ["--admin-listen", "127.0.0.1:0", "--heartbeat", "5m"];
    let relay = RelayProcess::start(&[&quiet, &CROWD[..]].concat());
    let clients = open_clients(&relay).await;
    // The timers of the handshakes fire once more during the first window.
    sleep(WINDOW).await;
    let unseen = share(&relay, sleep(WINDOW)).await;
    let mut viewer = ConsoleStream::open(&relay).await;
    let first = viewer.next().await.unwrap();
    assert_eq!(first["connections"]["open"], CLIENTS);
    let seen = share(&relay, async {
        let start = std::time::Instant::now();
        while start.elapsed() < WINDOW {
            viewer.next().await.unwrap();
        }
    })
    .await;
    drop(viewer);
    // The relay notices the end of the stream at the next snapshot.
    sleep(Duration::from_secs(3)).await;
    let again = share(&relay, sleep(WINDOW)).await;
    println!("share of a core: {unseen:.5} unseen, {seen:.5} with a viewer, {again:.5} after it");
    assert!(seen < MAX_SHARE, "{seen}");
    assert!(again < unseen * 1.5 + 0.002, "{again} {unseen}");
    drop(clients);
}
