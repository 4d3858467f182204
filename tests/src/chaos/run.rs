//! A run from the start of the processes to the verdict.

use super::{
    balancer::Balancer,
    broker_kind::BrokerKind,
    channels,
    checker::{Verdict, check},
    client::Surroundings,
    faults::{FaultKind, Injector},
    history::{Outcome, Recorder, Seen},
    load::Load,
    random::Random,
    tenant::Tenant,
};
use crate::{Installation, NatsCluster, NatsOptions, NatsUser, RelayCluster, hosts::Host};
use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// The number of NATS servers.
const SERVERS: usize = 3;
/// The number of installations.
const TENANTS: usize = 2;
/// The time that clients have to subscribe at the start.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// The time after the last fault in which every publication must be answered: the publishers' own limit, and a margin.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(150);
/// The time in which the last message of each channel must arrive everywhere: the longest backoff of a client, and a margin.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(60);
/// The maximum number of last messages on each channel.
const LAST_MESSAGES: usize = 3;
const POLL: Duration = Duration::from_millis(100);
/// The settings of the relays. The short heartbeat lets clients notice a stopped relay within seconds.
const SETTINGS: &str =
    "heartbeat = \"2s\"\ndrain_window = \"2s\"\ndrain_deadline = \"10s\"\nlog = \"warn\"\n";
/// The password of the relays at the start.
const FIRST_PASSWORD: &str = "first";

/// The options of a run.
#[derive(Clone, Debug)]
pub struct ChaosOptions {
    /// The broker.
    pub broker: BrokerKind,
    /// The seed of the schedule of faults and of the traffic.
    pub seed: u64,
    /// The time in which faults happen. The recovery and the check take up to a few minutes more.
    pub duration: Duration,
    /// The duration of a single fault in milliseconds.
    pub fault_durations: std::ops::Range<u64>,
    /// The kinds of faults, in the order of a round; without any, all kinds that the broker can show.
    pub faults: Vec<FaultKind>,
    /// Takes the faults in random order from the start. Otherwise the first round has the order of their importance.
    pub shuffled: bool,
    /// The number of publications per second.
    pub rate: u32,
    /// Receives a line about each step.
    pub log: fn(&str),
}

/// Runs relays, clients and faults, and checks the record.
///
/// # Panics
/// If a process does not start.
#[must_use]
pub fn run(options: &ChaosOptions) -> Verdict {
    let mut random = Random(options.seed);
    // Nothing else owns the processes, so that they end with this function. The threads of clients end a moment later.
    let cluster = start(options.broker);
    let balancer = Arc::new(Balancer::new(&cluster, random.fork()));
    thread::scope(|scope| {
        let _questions = balancer.ask(scope, &cluster);
        observe(options, &cluster, &balancer, random)
    })
}

/// Runs clients and faults on a cluster, and checks the record.
fn observe(
    options: &ChaosOptions,
    cluster: &RelayCluster,
    balancer: &Arc<Balancer>,
    mut random: Random,
) -> Verdict {
    let channels = Arc::new(channels::all(TENANTS));
    let names = channels.iter().map(|channel| format!("{}/{}", channel.tenant, channel.name)).collect();
    let recorder = Arc::new(Recorder::new(names));
    let tenants = cluster.installations().iter().cloned().map(Tenant::new).collect();
    let around = Surroundings {
        recorder: recorder.clone(),
        balancer: balancer.clone(),
        channels,
        tenants: Arc::new(tenants),
    };
    let load = Load::start(&around, options.rate, &mut random);
    if !wait_until(START_TIMEOUT, || all_confirmed(&recorder)) {
        recorder.fail("not every subscription was confirmed at the start".into());
    }
    load.publish(true);
    cause_faults(options, cluster, &recorder, random.fork());
    finish(options, cluster, &recorder, &load);
    drop(load);
    let verdict = check(&recorder.history());
    if !verdict.findings().is_empty() {
        (0..cluster.size()).for_each(|relay| (options.log)(&cluster.log_tail(relay)));
    }
    verdict
}

fn start(broker: BrokerKind) -> RelayCluster {
    let installations =
        (0..TENANTS).map(|tenant| Arc::new(Installation::new(&format!("app-{tenant}")))).collect();
    match broker {
        BrokerKind::Embedded => RelayCluster::embedded(installations, SETTINGS),
        BrokerKind::Nats { relays } => {
            RelayCluster::on(start_nats(Vec::new()), relays, installations, SETTINGS)
        }
        BrokerKind::NatsOnHosts { relays } => {
            let mut hosts = Host::create(SERVERS + relays);
            let of_relays = hosts.split_off(SERVERS);
            let nats = start_nats(hosts.into_iter().map(Arc::new).collect());
            RelayCluster::on_hosts(nats, of_relays, installations, SETTINGS)
        }
    }
}

fn start_nats(hosts: Vec<Arc<Host>>) -> NatsCluster {
    let users = vec![NatsUser::new("relay", FIRST_PASSWORD)];
    NatsCluster::start(
        SERVERS,
        NatsOptions { users, client_certificates: true, hosts, ..NatsOptions::default() },
    )
}

fn cause_faults(options: &ChaosOptions, cluster: &RelayCluster, recorder: &Recorder, mut random: Random) {
    let mut kinds =
        if options.faults.is_empty() { FaultKind::all(options.broker) } else { options.faults.clone() };
    if options.shuffled {
        random.shuffle(&mut kinds);
    }
    let durations = options.fault_durations.clone();
    let mut injector = Injector { cluster, recorder, random, durations, log: options.log };
    let deadline = Instant::now() + options.duration;
    loop {
        for kind in &kinds {
            injector.pause();
            if Instant::now() >= deadline {
                return;
            }
            injector.strike(*kind);
        }
        if options.faults.is_empty() {
            injector.random.shuffle(&mut kinds);
        }
    }
}

/// Ends all faults, waits for the recovery and for every answer, and publishes a last message on every channel.
fn finish(options: &ChaosOptions, cluster: &RelayCluster, recorder: &Recorder, load: &Load) {
    (options.log)("          no more faults: recovery");
    cluster.heal();
    load.publish(false);
    if !wait_until(ANSWER_TIMEOUT, || load.waiting() == 0 && nothing_pending(recorder)) {
        recorder.fail("publications were neither acknowledged nor refused".into());
    }
    recorder.risk_ends();
    recorder.traffic_ends();
    // A gap that is reported late may cover a last message. The next one arrives.
    for _ in 0..LAST_MESSAGES {
        let first = recorder.history().publications.len();
        load.publish_everywhere();
        if !wait_until(ANSWER_TIMEOUT, || load.waiting() == 0 && nothing_pending(recorder)) {
            recorder.fail("the last publications were neither acknowledged nor refused".into());
        }
        (options.log)("          last messages published: arrival");
        if wait_until(ARRIVAL_TIMEOUT, || all_received_since(recorder, first)) {
            return;
        }
    }
    recorder.fail("not every subscription received a last message of its channel".into());
}

fn wait_until(timeout: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + timeout;
    while !condition() {
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(POLL);
    }
    true
}

fn all_confirmed(recorder: &Recorder) -> bool {
    recorder.history().subscriptions.iter().all(|subscription| !subscription.events.is_empty())
}

fn nothing_pending(recorder: &Recorder) -> bool {
    recorder.history().publications.iter().all(|publication| publication.outcome != Outcome::Pending)
}

/// Returns whether each subscription received a message that was published as number `first` or later.
fn all_received_since(recorder: &Recorder, first: usize) -> bool {
    let history = recorder.history();
    let Some(start) = history.publications.get(first).map(|publication| publication.started_at) else {
        return true;
    };
    let is_late = |seen: &Seen| matches!(seen, Seen::Message { message, .. } if *message >= first);
    history.subscriptions.iter().all(|subscription| {
        let mut recent = subscription.events.iter().rev().take_while(|(at, _)| *at >= start);
        recent.any(|(_, seen)| is_late(seen))
    })
}
