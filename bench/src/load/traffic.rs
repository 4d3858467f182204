//! Publishing and counting: how many messages are on their way, and whether each reached everybody.

use super::{
    fleet::{Fleet, PATIENCE, Role},
    latency::Latencies,
    payload,
};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// More messages than are ever on their way.
const RING: usize = 4096;

/// Channels with their subscribers, and the connections that publish.
pub(crate) struct Traffic {
    channels: u32,
    subscribers: u32,
    size: usize,
    publishers: Vec<usize>,
    /// Messages published so far; message `n` goes to channel `n % channels`.
    published: u64,
    completed: u64,
    /// Deliveries that are missing, per message on its way.
    missing: Vec<u32>,
    sent: Vec<Instant>,
    payload: Vec<u8>,
    /// Makes the ids of this traffic differ from those of any other.
    nonce: u64,
}

/// How messages are published.
#[derive(Clone, Copy)]
pub(crate) enum Flow {
    /// As fast as they arrive: a message counts as in flight until its last subscriber has it.
    InFlight(u64),
    /// So many a second.
    Paced(f64),
}

impl Traffic {
    /// Opens `subscribers` connections to each of `channels`, and the publishers.
    pub(crate) fn open(fleet: &mut Fleet, channels: u32, subscribers: u32, size: usize) -> Result<Self> {
        let roles = (0..subscribers).flat_map(|_| (0..channels).map(Role::Subscriber));
        fleet.connect(roles)?;
        let count = if fleet.dialect().has_publisher_per_channel() { channels } else { 1 };
        let first = fleet.connect((0..count).map(Role::Publisher))?;
        Ok(Self {
            channels,
            subscribers,
            size,
            publishers: (first..first + count as usize).collect(),
            published: 0,
            completed: 0,
            missing: vec![0; RING],
            sent: vec![Instant::now(); RING],
            payload: Vec::new(),
            nonce: SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64,
        })
    }

    /// Publishes `messages` and waits until all of them arrived everywhere.
    pub(crate) fn run(
        &mut self,
        fleet: &mut Fleet,
        messages: u64,
        flow: Flow,
        mut latencies: Option<&mut Latencies>,
    ) -> Result<Duration> {
        let start = Instant::now();
        let (first, last) = (self.published, self.published + messages);
        let mut heard = Instant::now();
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
                heard = Instant::now();
            }
            ensure!(
                heard.elapsed() < PATIENCE,
                "message {} is missing at {} subscribers",
                self.completed,
                self.missing[self.completed as usize % RING]
            );
        }
        Ok(start.elapsed())
    }

    /// Publishes while nobody listens.
    pub(crate) fn publish_unheard(&mut self, fleet: &mut Fleet, messages: u64) -> Result<()> {
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
        ensure!(due - self.completed <= RING as u64, "the server is slower than the pace");
        let now = Instant::now();
        while self.published < due {
            let (sequence, channel) = (
                self.published / u64::from(self.channels),
                (self.published % u64::from(self.channels)) as u32,
            );
            payload::fill(&mut self.payload, self.size, sequence);
            let slot = self.published as usize % RING;
            (self.missing[slot], self.sent[slot]) = (self.subscribers, now);
            let publisher = self.publishers[channel as usize % self.publishers.len()];
            fleet.publish(publisher, channel, self.nonce.wrapping_add(self.published), &self.payload)?;
            if self.publishers.len() > 1 {
                fleet.flush(publisher)?;
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
        let Self { channels, missing, sent, .. } = self;
        let mut latencies = latencies;
        fleet.poll(timeout, &mut |delivery| {
            let message = delivery.sequence * u64::from(*channels) + u64::from(delivery.channel);
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

    /// Deliveries so far.
    pub(crate) fn deliveries(&self) -> u64 {
        self.completed * u64::from(self.subscribers)
    }
}
