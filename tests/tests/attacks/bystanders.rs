//! Clients that are not part of an attack. One publishes to the others without pause; all of them check that nothing is
//! lost, and measure latencies.

use crate::target::{Target, channel, context, random};
use sealwire_protocol::wire::{ToClient, ToRelay};
use sealwire_tests::{RawSocket, Received};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{JoinHandle, sleep, spawn},
    time::{Duration, Instant},
};

/// The pause between two messages.
const PAUSE: Duration = Duration::from_millis(5);
/// The name of their channel.
pub(crate) const NAME: &str = "bystanders";
/// The pause between two requests for `/healthz`.
const PROBE_PAUSE: Duration = Duration::from_millis(5);

pub(crate) struct Bystanders {
    publisher: JoinHandle<u64>,
    subscribers: Vec<JoinHandle<u64>>,
    done: Arc<AtomicBool>,
    latencies: Arc<Mutex<Vec<Duration>>>,
}

/// Bystanders, and a prober that requests `/healthz` without pause.
pub(crate) struct Monitor {
    bystanders: Bystanders,
    prober: JoinHandle<()>,
    done: Arc<AtomicBool>,
    probes: Arc<Mutex<Vec<Duration>>>,
}

impl Monitor {
    pub(crate) fn on(target: &Target) -> Self {
        let (done, probes) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Vec<Duration>>>::default());
        let mut socket = RawSocket::connect(target.port);
        let prober = spawn({
            let (done, probes) = (done.clone(), probes.clone());
            move || {
                while !done.load(Ordering::Relaxed) {
                    let start = Instant::now();
                    socket.send(b"GET /healthz HTTP/1.1\r\nhost: relay\r\n\r\n");
                    let (head, _) = socket.response();
                    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
                    probes.lock().unwrap().push(start.elapsed());
                    sleep(PROBE_PAUSE);
                }
            }
        });
        Self { bystanders: Bystanders::on(target), prober, done, probes }
    }

    /// Returns the latencies of the messages and of the probes since the last call.
    pub(crate) fn latencies(&self) -> (Latencies, Latencies) {
        (self.bystanders.latencies(), Latencies::of(&self.probes))
    }

    /// Stops the prober and the bystanders; see [`Bystanders::finish`].
    pub(crate) fn finish(self) -> (u64, u64) {
        self.done.store(true, Ordering::Relaxed);
        self.prober.join().expect("every probe succeeded");
        self.bystanders.finish()
    }
}

/// Latencies of messages, from before the publish was sent until the message was received.
pub(crate) struct Latencies(Vec<Duration>);

impl Bystanders {
    /// Starts a publisher, and one subscriber at each relay.
    pub(crate) fn on(target: &Target) -> Self {
        Self::crowd(target, NAME, 1, PAUSE)
    }

    /// Starts `subscribers` subscribers at each relay, and a publisher at the last one, which waits for `pause` between two
    /// messages.
    pub(crate) fn crowd(target: &Target, name: &'static str, subscribers: usize, pause: Duration) -> Self {
        let start = Instant::now();
        let (done, latencies) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let ports = target.relays().flat_map(|relay| std::iter::repeat_n(relay.port, subscribers));
        let subscribers = ports.map(|port| {
            let mut socket = RawSocket::open(port, &target.bystander.session("reader", &context(), 600));
            let subscribed = socket.subscribe(channel(name), None);
            assert!(matches!(subscribed, ToClient::Subscribed(_)), "{subscribed:?}");
            let latencies = latencies.clone();
            spawn(move || read(&mut socket, start, &latencies))
        });
        let subscribers = subscribers.collect();
        let mut socket = target.open_elsewhere(&target.bystander, "writer");
        let publisher = spawn({
            let done = done.clone();
            move || write(&mut socket, name, pause, start, &done)
        });
        Self { publisher, subscribers, done, latencies }
    }

    /// Returns the latencies since the last call.
    pub(crate) fn latencies(&self) -> Latencies {
        Latencies::of(&self.latencies)
    }

    /// Stops the bystanders. Returns the number of messages that were published and acknowledged, and the number that the
    /// subscriber with the fewest received, in order and once each.
    pub(crate) fn finish(self) -> (u64, u64) {
        self.done.store(true, Ordering::Relaxed);
        let sent = self.publisher.join().expect("the publisher met no error");
        let received =
            self.subscribers.into_iter().map(|one| one.join().expect("the subscriber met no error"));
        (sent, received.min().unwrap_or_default())
    }
}

impl Latencies {
    fn of(latencies: &Mutex<Vec<Duration>>) -> Self {
        let mut latencies = std::mem::take(&mut *latencies.lock().unwrap());
        latencies.sort_unstable();
        Self(latencies)
    }

    /// Returns the 99th percentile.
    pub(crate) fn p99(&self) -> Duration {
        assert!(self.0.len() >= 50, "{} messages are too few for a p99", self.0.len());
        self.0[self.0.len() * 99 / 100]
    }
}

fn write(socket: &mut RawSocket, name: &str, pause: Duration, start: Instant, done: &AtomicBool) -> u64 {
    let mut sent = 0;
    loop {
        let last = done.load(Ordering::Relaxed);
        let mut sealed = vec![1; 100];
        sealed[..8].copy_from_slice(&(start.elapsed().as_micros() as u64).to_be_bytes());
        sealed[8..16].copy_from_slice(&u64::to_be_bytes(sent));
        sealed[16] = u8::from(last);
        let answer = socket.publish(channel(name), sealed, random());
        assert!(matches!(answer, ToClient::Published(_)), "{answer:?}");
        sent += 1;
        if last {
            return sent;
        }
        sleep(pause);
    }
}

fn read(socket: &mut RawSocket, start: Instant, latencies: &Mutex<Vec<Duration>>) -> u64 {
    let (mut received, mut previous) = (0, None);
    loop {
        let publication = match socket.receive() {
            Received::Message(message) => match *message {
                ToClient::Publication(publication) => publication,
                other => panic!("received {other:?} instead of a publication"),
            },
            other => panic!("received {other:?} instead of a publication"),
        };
        let number =
            |range: std::ops::Range<usize>| u64::from_be_bytes(publication.sealed[range].try_into().unwrap());
        let now = start.elapsed();
        assert_eq!(number(8..16), received, "a message is missing or arrived twice");
        assert!(
            previous.is_none_or(|previous| previous == publication.previous_offset),
            "previous_offset does not name the previous publication"
        );
        previous = Some(publication.offset);
        latencies.lock().unwrap().push(now.saturating_sub(Duration::from_micros(number(0..8))));
        received += 1;
        if publication.sealed[16] == 1 {
            socket.send_message(&ToRelay::End(sealwire_protocol::wire::End {}));
            return received;
        }
    }
}
