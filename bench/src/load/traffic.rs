//! Publishes messages and counts deliveries, until every message has reached all its subscribers.

use super::{
    fleet::{Fleet, STALL_TIMEOUT},
    latency::Latencies,
    payload,
    roles::Role,
};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The size of the ring buffers: the maximum number of messages in flight.
const RING: usize = 4096;

/// Channels with their subscribers, and the connections that publish.
pub(crate) struct Traffic {
    channels: u32,
    subscribers: u32,
    size: usize,
    publishers: Vec<usize>,
    /// Every publisher publishes every message, each at a server of its own.
    at_all: bool,
    /// Messages carry their number among all messages, because a connection subscribes to several channels.
    to_listeners: bool,
    /// The number of messages published so far. Message `n` goes to channel `n % channels`.
    published: u64,
    /// The number of messages that have reached all their subscribers, without a gap.
    completed: u64,
    /// The number of outstanding deliveries of each message in flight.
    missing: Vec<u32>,
    sent: Vec<Instant>,
    payload: Vec<u8>,
    /// Added to the message ids, so that they differ from those of other traffic.
    nonce: u64,
}

/// The pace of publishing.
#[derive(Clone, Copy)]
pub(crate) enum Flow {
    /// Keeps this many messages in flight. A message is in flight until it has reached its last subscriber.
    InFlight(u64),
    /// Publishes this many messages per second.
    Paced(f64),
}

impl Traffic {
    /// Opens the connections of the publishers and of `subscribers` subscribers for each of `channels` channels.
    pub(crate) fn open(fleet: &mut Fleet, channels: u32, subscribers: u32, size: usize) -> Result<Self> {
        let roles = (0..subscribers).flat_map(|_| (0..channels).map(Role::Subscriber));
        fleet.connect(roles)?;
        let count = if fleet.dialect().has_publisher_per_channel() { channels } else { 1 };
        let first = fleet.connect((0..count).map(Role::Publisher))?;
        let publishers = (first..first + count as usize).collect();
        Self::new((channels, subscribers), size, publishers, false)
    }

    /// Opens the subscribers of one channel and a number of publishers, each of which publishes every message. The fleet
    /// spreads both over as many servers, so that each subscriber gets a message once.
    pub(crate) fn open_at_all(
        fleet: &mut Fleet,
        subscribers: u32,
        size: usize,
        publishers: u32,
    ) -> Result<Self> {
        fleet.connect((0..subscribers).map(|_| Role::Subscriber(0)))?;
        let first = fleet.connect((0..publishers).map(|_| Role::Publisher(0)))?;
        let publishers = (first..first + publishers as usize).collect();
        Self::new((1, subscribers), size, publishers, true)
    }

    /// Opens a publisher for channels that each have one subscriber, a [`Role::Listener`].
    pub(crate) fn to_listeners(fleet: &mut Fleet, channels: u32, size: usize) -> Result<Self> {
        let publisher = fleet.connect([Role::Publisher(0)])?;
        Ok(Self { to_listeners: true, ..Self::new((channels, 1), size, vec![publisher], false)? })
    }

    fn new(
        (channels, subscribers): (u32, u32),
        size: usize,
        publishers: Vec<usize>,
        at_all: bool,
    ) -> Result<Self> {
        Ok(Self {
            channels,
            subscribers,
            size,
            publishers,
            at_all,
            to_listeners: false,
            published: 0,
            completed: 0,
            missing: vec![0; RING],
            sent: vec![Instant::now(); RING],
            payload: Vec::new(),
            nonce: SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64,
        })
    }

    /// Publishes `messages` messages and waits until all of them have reached all their subscribers.
    pub(crate) fn run(
        &mut self,
        fleet: &mut Fleet,
        messages: u64,
        flow: Flow,
        mut latencies: Option<&mut Latencies>,
    ) -> Result<Duration> {
        let start = Instant::now();
        let (first, last) = (self.published, self.published + messages);
        let mut last_progress = Instant::now();
        while self.completed < last {
            let due = match flow {
                Flow::InFlight(window) => (self.completed + window).min(last),
                Flow::Paced(rate) => (first + 1 + (start.elapsed().as_secs_f64() * rate) as u64).min(last),
            };
            self.publish_until(fleet, due)?;
            let timeout = match flow {
                Flow::Paced(rate) if self.published < last => {
                    let next = Duration::from_secs_f64((self.published - first) as f64 / rate);
                    next.saturating_sub(start.elapsed())
                }
                _ => Duration::from_millis(100),
            };
            let before = self.completed;
            self.receive(fleet, timeout, latencies.as_deref_mut())?;
            if self.completed > before {
                last_progress = Instant::now();
            }
            ensure!(
                last_progress.elapsed() < STALL_TIMEOUT,
                "message {} did not reach {} subscribers",
                self.completed,
                self.missing[self.completed as usize % RING]
            );
        }
        Ok(start.elapsed())
    }

    /// Publishes messages that no subscriber is connected to receive.
    pub(crate) fn publish_without_subscribers(&mut self, fleet: &mut Fleet, messages: u64) -> Result<()> {
        for _ in 0..messages {
            self.publish_until(fleet, self.published + 1)?;
            self.completed = self.published;
            fleet.poll(Duration::ZERO, &mut |_| {})?;
        }
        Ok(())
    }

    fn publish_until(&mut self, fleet: &mut Fleet, due: u64) -> Result<()> {
        if self.published >= due {
            return Ok(());
        }
        ensure!(
            due - self.completed <= RING as u64,
            "the server cannot keep up: too many messages are in flight"
        );
        let now = Instant::now();
        while self.published < due {
            let (sequence, channel) = (
                self.published / u64::from(self.channels),
                (self.published % u64::from(self.channels)) as u32,
            );
            let sequence = if self.to_listeners { self.published } else { sequence };
            payload::fill(&mut self.payload, self.size, sequence);
            let slot = self.published as usize % RING;
            (self.missing[slot], self.sent[slot]) = (self.subscribers, now);
            let one = channel as usize % self.publishers.len();
            let publishers = if self.at_all { &self.publishers[..] } else { &self.publishers[one..=one] };
            for publisher in publishers {
                fleet.publish(*publisher, channel, self.nonce.wrapping_add(self.published), &self.payload)?;
                if self.publishers.len() > 1 {
                    fleet.flush(*publisher)?;
                }
            }
            self.published += 1;
        }
        self.publishers.first().map_or(Ok(()), |publisher| fleet.flush(*publisher))
    }

    fn receive(
        &mut self,
        fleet: &mut Fleet,
        timeout: Duration,
        latencies: Option<&mut Latencies>,
    ) -> Result<()> {
        let Self { missing, sent, .. } = self;
        let channels = if self.to_listeners { 1 } else { u64::from(self.channels) };
        let mut latencies = latencies;
        fleet.poll(timeout, &mut |delivery| {
            let message = delivery.sequence * channels + u64::from(delivery.channel);
            let slot = message as usize % RING;
            missing[slot] = missing[slot].saturating_sub(1);
            if let Some(latencies) = &mut latencies {
                latencies.record(sent[slot].elapsed());
            }
        })?;
        while self.completed < self.published && self.missing[self.completed as usize % RING] == 0 {
            self.completed += 1;
        }
        Ok(())
    }

    /// Returns the number of deliveries of all completed messages.
    pub(crate) fn deliveries(&self) -> u64 {
        self.completed * u64::from(self.subscribers)
    }
}
