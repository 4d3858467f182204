//! Carries the reports of shared limits between relays, as plain messages of NATS on `<prefix>.relays.<relay>`.

use super::{
    gossip::{Gossip, REPORT_INTERVAL},
    relay_ids::RelayIds,
};
use crate::nats::NatsConnection;
use async_nats::{Message, Subscriber};
use futures_util::{StreamExt as _, stream::SelectAll};
use std::{sync::Arc, time::Instant};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

/// Sends and receives reports until the relay has ended. Each relay listens on all servers and sends to them in turn, so
/// that a server that hangs costs only a part of the reports, which the next ones repeat.
pub(super) async fn run(
    mut gossip: Gossip,
    prefix: String,
    connections: Vec<NatsConnection>,
    relays: Arc<RelayIds>,
    ended: CancellationToken,
) {
    let subject = format!("{prefix}.relays.{:016x}", relays.own);
    let mut reports = subscribe(&connections, format!("{prefix}.relays.*")).await;
    let mut turn = 0;
    let mut ticks = interval(REPORT_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = ended.cancelled() => break,
            _ = ticks.tick() => {
                turn += 1;
                for report in gossip.handle_tick(Instant::now()) {
                    send(&connections, turn, &subject, report).await;
                }
                let others = gossip.others();
                if **relays.others.load() != others {
                    relays.others.store(Arc::new(others));
                }
            }
            Some(message) = reports.next() => receive(&mut gossip, &message),
        }
    }
}

async fn subscribe(connections: &[NatsConnection], subject: String) -> SelectAll<Subscriber> {
    let mut all = SelectAll::new();
    for connection in connections {
        // The client subscribes again after each reconnect. It fails only for an invalid subject or after its end.
        match connection.client().subscribe(subject.clone()).await {
            Ok(subscriber) => all.push(subscriber),
            Err(error) => {
                tracing::error!(server = %connection.server(), %error, "cannot hear the other relays")
            }
        }
    }
    all
}

/// Sends a report through the connected server whose turn it is. A report that cannot be sent at once is dropped, because
/// a late one is worth nothing: the next one repeats it.
async fn send(connections: &[NatsConnection], turn: usize, subject: &str, report: Vec<u8>) {
    let connected: Vec<_> =
        connections.iter().filter(|connection| connection.server_name().is_some()).collect();
    let Some(connection) = connected.get(turn % connected.len().max(1)) else { return };
    let sent = connection.client().publish(subject.to_owned(), report.into());
    if !matches!(timeout(REPORT_INTERVAL, sent).await, Ok(Ok(()))) {
        tracing::debug!(server = %connection.server(), "a report to the other relays was dropped");
    }
}

fn receive(gossip: &mut Gossip, message: &Message) {
    let id = message.subject.rsplit('.').next().filter(|id| id.len() == 16);
    if let Some(Ok(relay)) = id.map(|id| u64::from_str_radix(id, 16)) {
        gossip.handle_report(relay, &message.payload, Instant::now());
    }
}
