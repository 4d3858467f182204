//! The victims of a hostile writer: sessions at both relays that hold one channel, and clients that use it meanwhile.

use crate::{
    nats::{client::NatsClient, intruder_at, stream_subject},
    target::{Target, await_ready, channel, context, random, sealed},
};
use sealwire_protocol::{
    ChannelId, Code,
    wire::{Ping, Since, Subscribe, ToClient, ToRelay},
};
use sealwire_tests::{RawSocket, Received};
use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

/// The name of the channel of the victims.
const NAME: &str = "hostile";
/// The longest time until everything is as before an attack.
const RECOVERY: Duration = Duration::from_secs(30);
/// The longest time until a publication arrives.
const ARRIVAL: Duration = Duration::from_secs(1);

/// The relays, the intruder, and the subject of the victims' channel.
pub(super) struct Scene {
    pub(super) target: Target,
    pub(super) intruder: NatsClient,
    /// The name of the channel's stream, and its number.
    pub(super) stream: String,
    pub(super) number: String,
    pub(super) subject: String,
    /// The subject on which the stream repeats the channel.
    pub(super) live: String,
    channel: ChannelId,
}

/// A session of a victim.
pub(super) struct Victim {
    relay: &'static str,
    socket: RawSocket,
    channel: ChannelId,
    is_subscribed: bool,
}

impl Scene {
    pub(super) fn start() -> Self {
        let target = Target::start_in_cluster();
        let cluster = target.cluster.as_ref().unwrap();
        let (stream, subject) = stream_subject(&target, cluster, NAME);
        let number = stream.rsplit('-').next().unwrap().to_owned();
        let live = subject.replacen("sealwire.", "sealwire.live.", 1);
        let (intruder, channel) = (intruder_at(cluster, &stream), target.victim.channel_id(&context(), NAME));
        Self { intruder, target, stream, number, subject, live, channel }
    }

    /// Opens a session of a victim at each relay.
    pub(super) fn victims(&self) -> [Victim; 2] {
        let sockets =
            [("attacked", self.target.open(&self.target.victim, "carol")), ("other", self.target.alice())];
        sockets.map(|(relay, socket)| Victim { relay, socket, channel: self.channel, is_subscribed: false })
    }

    /// Waits until both relays are ready, and a message that is published at either reaches both victims in the sessions
    /// that they have.
    pub(super) fn await_service(&self, victims: &mut [Victim; 2]) {
        let start = Instant::now();
        self.target.relays().for_each(|relay| await_ready(relay.port));
        victims.iter_mut().for_each(Victim::must_be_subscribed);
        let token = self.target.victim.session("bob", &context(), 600);
        for relay in self.target.relays() {
            let mut answer = None;
            let mut serves = || {
                let text = format!("{:032x}", u128::from_be_bytes(random()));
                // Limits that a writer claimed to be exhausted refuse new sessions for a second.
                let Some(mut publisher) = RawSocket::try_open(relay.port, &token) else { return false };
                answer = Some(publisher.publish(channel(NAME), sealed(&text), random()));
                let is_published = matches!(answer, Some(ToClient::Published(_)));
                is_published && victims.iter_mut().all(|victim| victim.receives(&text))
            };
            while !serves() {
                assert!(start.elapsed() < RECOVERY, "no service: {answer:?}\n{}", relay.log());
            }
        }
    }

    /// Returns the most by which the memory of a relay grew, in MiB.
    pub(super) fn growth_during(&self, attack: impl FnOnce()) -> usize {
        let memory = || self.target.relays().map(|relay| relay.memory()).max().unwrap();
        let (before, peak, is_over) = (memory(), AtomicUsize::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    peak.fetch_max(memory(), Ordering::Relaxed);
                    thread::sleep(Duration::from_millis(20));
                }
            });
            let _over = SetOnDrop(&is_over);
            attack();
        });
        peak.into_inner().saturating_sub(before) >> 20
    }

    /// Attacks while a session at each relay publishes on the victims' channel and replays others. Requests may fail with a
    /// code that permits to repeat them; the sessions must not end.
    pub(super) fn with_traffic(&self, attack: impl FnOnce()) {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            for relay in self.target.relays() {
                let is_over = &is_over;
                let token = self.target.victim.session("dave", &context(), 600);
                let mut socket = RawSocket::open(relay.port, &token);
                scope.spawn(move || {
                    let mut number = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        number += 1;
                        must_be_repeatable(&socket.publish(channel(NAME), sealed("traffic"), random()));
                        let name = channel(&format!("other-{}", number % 50));
                        must_be_repeatable(&socket.publish(name.clone(), sealed("traffic"), random()));
                        let joiner = RawSocket::try_open(relay.port, &token);
                        if let Some(mut joiner) = joiner {
                            must_be_repeatable(&joiner.subscribe(name, Some(Since::ReplaySeconds(60))));
                        }
                    }
                });
            }
            let _over = SetOnDrop(&is_over);
            attack();
        });
    }
}

/// Sets a flag at the end of its scope, even if the test fails.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn must_be_repeatable(answer: &ToClient) {
    match answer {
        ToClient::Failed(failed) => {
            let code = Code::from_number(failed.code);
            assert!(code.is_some_and(Code::retryable), "{failed:?}");
        }
        ToClient::Goodbye(goodbye) => panic!("a session ended: {goodbye:?}"),
        _ => {}
    }
}

impl Victim {
    /// Asserts that the session is open, and subscribes if the subscription has ended.
    fn must_be_subscribed(&mut self) {
        let start = Instant::now();
        self.socket.send_message(&ToRelay::Ping(Ping::default()));
        while !matches!(self.read(), ToClient::Pong(_)) {}
        while !self.is_subscribed {
            let (request, channel) = (self.socket.request(), Some(channel(NAME)));
            let subscribe = Subscribe { request, channel, since: None, events: vec![] };
            self.socket.send_message(&ToRelay::Subscribe(subscribe));
            loop {
                match self.read() {
                    ToClient::Subscribed(_) => self.is_subscribed = true,
                    ToClient::Failed(failed) => {
                        assert!(failed.retry_after_ms > 0 && start.elapsed() < RECOVERY, "{failed:?}");
                    }
                    _ => continue,
                }
                break;
            }
        }
    }

    /// Returns whether a publication arrives in time. Subscribes again if the subscription has ended.
    fn receives(&mut self, expected: &str) -> bool {
        let start = Instant::now();
        while start.elapsed() < ARRIVAL {
            if !self.is_subscribed {
                self.must_be_subscribed();
                return false;
            }
            // The answer bounds the wait for a publication that does not come.
            self.socket.send_message(&ToRelay::Ping(Ping::default()));
            loop {
                match self.read() {
                    ToClient::Publication(publication)
                        if publication.sealed.ends_with(expected.as_bytes()) =>
                    {
                        return true;
                    }
                    ToClient::Pong(_) => break,
                    _ => {}
                }
            }
            thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Reads the next message. It must not belong to another channel, nor end the session.
    fn read(&mut self) -> ToClient {
        let message = match self.socket.receive() {
            Received::Message(message) => *message,
            other => panic!("received {other:?} at the {} relay", self.relay),
        };
        match &message {
            ToClient::Publication(publication) => {
                assert_eq!(publication.channel_id[..], self.channel.0, "a message of another channel");
            }
            ToClient::Ended(_) => self.is_subscribed = false,
            ToClient::Goodbye(goodbye) => {
                panic!("the session at the {} relay ended: {goodbye:?}", self.relay)
            }
            _ => {}
        }
        message
    }
}
