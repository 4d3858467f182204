//! A snapshot of the relay: the data of one event of the console's stream. docs/operating.md documents its shape.

use super::{
    Console, advice,
    census::{Census, SHOWN, SlowClients},
    counts::{CodeCount, Counts, History, LatencySummary, Rates, by_code},
    presence::PresenceState,
};
use crate::{
    admin::process,
    audit::RecentEntry,
    clock::Now,
    http::{HttpContext, unreadiness},
    limits::Limit,
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Instant};

/// The number of recent events that are shown.
const RECENT: usize = 30;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Snapshot {
    /// The time, in milliseconds since 1970.
    at: u64,
    version: &'static str,
    uptime_seconds: u64,
    /// True if `admin_token_file` permits changes.
    permits_changes: bool,
    state: State,
    connections: Connections,
    rates: Option<Rates>,
    latency: Option<LatencySummary>,
    memory: MemoryState,
    refusals: Vec<CodeCount>,
    goodbyes: Vec<CodeCount>,
    limits: Vec<LimitRefusals>,
    slow: SlowClients,
    installations: Vec<Ranked>,
    channels: Vec<Ranked>,
    presence: PresenceState,
    recent: Vec<Event>,
    cluster: Option<ClusterState>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct State {
    draining: bool,
    ready: bool,
    /// False while the relay keeps a former configuration.
    config_current: bool,
    drain_deadline_seconds: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connections {
    open: usize,
    sessions: u64,
    subscriptions: usize,
    channels: usize,
    permits: usize,
    max: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemoryState {
    limit_bytes: usize,
    parts: BTreeMap<&'static str, usize>,
    resident_bytes: Option<u64>,
    evicted_bytes: u64,
    connections_shed: u64,
}

#[derive(Serialize)]
struct LimitRefusals {
    limit: &'static str,
    refusals: u64,
}

/// An installation with its sessions, or a channel with its subscriptions.
#[derive(Serialize)]
struct Ranked {
    hash: String,
    count: usize,
}

/// An entry of the recent refusals and ended sessions.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    /// The hash of the installation; `None` if no token was verified.
    installation: Option<String>,
    account: Option<String>,
    attempt: &'static str,
    code: &'static str,
    count: u64,
    first_at: u64,
    last_at: u64,
    trace: String,
    advice: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterState {
    servers: Vec<Server>,
    streams: u64,
    streams_followed: u64,
    /// The id of this relay, as in the log.
    relay: Option<String>,
    /// The other relays that this one hears.
    others: Vec<String>,
}

#[derive(Serialize)]
struct Server {
    server: String,
    connected: bool,
    reconnects: u64,
}

impl Snapshot {
    pub(super) fn of(console: &Console, history: &History, census: &Census) -> Self {
        let http = &*console.http;
        let hashes = &console.hashes;
        let installations = census.installations.iter();
        let channels = census.channels.iter().take(SHOWN);
        let recent = http.audit.recent().latest(RECENT, |_| true);
        Self {
            at: Now::read().wall.0,
            version: env!("CARGO_PKG_VERSION"),
            uptime_seconds: console.started_at.elapsed().as_secs(),
            permits_changes: http.admin_token.load().is_some(),
            state: State::of(http),
            connections: Connections::of(http),
            rates: history.rates(),
            latency: history.latency(),
            memory: MemoryState::of(http),
            refusals: by_code(history, |counts: &Counts| &counts.refusals),
            goodbyes: by_code(history, |counts: &Counts| &counts.goodbyes),
            limits: Limit::ALL
                .iter()
                .map(|limit| LimitRefusals { limit: limit.name(), refusals: http.limits.refusals(*limit) })
                .filter(|limit| limit.refusals > 0)
                .collect(),
            slow: census.slow.clone(),
            installations: installations
                .map(|(key, count)| Ranked { hash: hashes.installation(*key), count: *count })
                .collect(),
            channels: channels
                .map(|(channel, count)| Ranked { hash: hashes.channel(*channel), count: *count })
                .collect(),
            presence: PresenceState::of(http, hashes, &census.presence),
            recent: recent.iter().map(|entry| Event::of(console, entry)).collect(),
            cluster: ClusterState::of(http),
        }
    }
}

impl Event {
    pub(super) fn of(console: &Console, entry: &RecentEntry) -> Self {
        Self {
            installation: entry.subject.map(|subject| console.hashes.installation(subject.installation)),
            account: entry.subject.and_then(|subject| console.hashes.account(subject)),
            attempt: entry.attempt,
            code: entry.code.name(),
            count: entry.count,
            first_at: entry.first.0,
            last_at: entry.last.0,
            trace: entry.trace.to_string(),
            advice: advice::of(entry.code),
        }
    }
}

impl State {
    fn of(http: &HttpContext) -> Self {
        Self {
            draining: http.lifecycle.is_draining(),
            ready: unreadiness(&http.lifecycle, &*http.broker, &http.revocations).is_none(),
            config_current: http.metrics.reloads.is_current(Instant::now()),
            drain_deadline_seconds: http.limits.settings().drain_deadline.as_secs(),
        }
    }
}

impl Connections {
    fn of(http: &HttpContext) -> Self {
        Self {
            open: http.connection.registry.len(),
            sessions: http.metrics.sessions(),
            subscriptions: http.connection.fanout.subscriptions(),
            channels: http.broker.status().channels,
            permits: http.limits.connections(),
            max: http.limits.settings().max_connections,
        }
    }
}

impl MemoryState {
    fn of(http: &HttpContext) -> Self {
        let memory = &http.connection.memory;
        Self {
            limit_bytes: http.limits.settings().memory_bytes,
            parts: memory.usage().parts().into_iter().collect(),
            resident_bytes: process::resident_bytes(),
            evicted_bytes: memory.evicted_bytes(),
            connections_shed: memory.shed_connections(),
        }
    }
}

impl ClusterState {
    fn of(http: &HttpContext) -> Option<Self> {
        let metrics = http.broker.metrics()?;
        let relays = http.cluster.as_ref().map(|cluster| cluster.relays());
        let id = |relay: &u64| format!("{relay:016x}");
        let servers = metrics.servers().map(|(server, connected, reconnects)| Server {
            server: server.to_owned(),
            connected,
            reconnects,
        });
        Some(Self {
            servers: servers.collect(),
            streams: metrics.streams(),
            streams_followed: metrics.streams_followed(),
            relay: relays.map(|relays| id(&relays.own)),
            others: relays.map(|relays| relays.others.load().iter().map(id).collect()).unwrap_or_default(),
        })
    }
}
