//! The clients of a run and the rhythm of its publications.

use super::{
    channels::{self, Channel},
    client::{ChaosClient, HttpPublisher, Surroundings},
    random::Random,
};
use crate::runtime::runtime;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::{runtime::Builder, sync::mpsc, time::sleep};

/// The number of subscribers in each installation.
const SUBSCRIBERS: usize = 6;
/// The number of publishers over WebSocket in each installation.
const WEBSOCKET_PUBLISHERS: usize = 2;
/// The number of publishers over HTTP in each installation.
const HTTP_PUBLISHERS: usize = 1;
/// The number of channels that a subscriber has, of all of its installation.
const SUBSCRIPTIONS: usize = 8;

/// The clients. Dropping the value ends them.
pub(super) struct Load {
    channels: Arc<Vec<Channel>>,
    publishers: Vec<Publisher>,
    is_publishing: Arc<AtomicBool>,
    /// Subscribers run for as long as these senders exist.
    _subscribers: Vec<mpsc::Sender<usize>>,
}

struct Publisher {
    tenant: usize,
    channels: mpsc::Sender<usize>,
}

impl Load {
    /// Starts all clients. `rate` is the number of publications per second, over all publishers.
    pub(super) fn start(around: &Surroundings, rate: u32, random: &mut Random) -> Self {
        let mut load = Self {
            channels: around.channels.clone(),
            publishers: Vec::new(),
            is_publishing: Arc::default(),
            _subscribers: Vec::new(),
        };
        let tenants = around.tenants.len();
        let publishers = tenants * (WEBSOCKET_PUBLISHERS + HTTP_PUBLISHERS);
        let interval = Duration::from_secs(1) * u32::try_from(publishers).unwrap_or(1) / rate.max(1);
        let mut index = 0;
        for tenant in 0..tenants {
            for number in 0..SUBSCRIBERS + WEBSOCKET_PUBLISHERS + HTTP_PUBLISHERS {
                let (sender, receiver) = mpsc::channel(4);
                let (around, own) = (around.clone(), random.fork());
                if number < SUBSCRIBERS + WEBSOCKET_PUBLISHERS {
                    let is_subscriber = number < SUBSCRIBERS;
                    let subscribed =
                        if is_subscriber { load.subscribed_by(tenant, number) } else { Vec::new() };
                    own_thread(move || {
                        ChaosClient::new(index, tenant, around, own).run(subscribed, receiver)
                    });
                } else {
                    runtime().spawn(HttpPublisher::new(index, tenant, around, own).run(receiver));
                }
                index += 1;
                if number < SUBSCRIBERS {
                    load._subscribers.push(sender);
                } else {
                    load.publish_regularly(tenant, sender.clone(), interval, random.fork());
                    load.publishers.push(Publisher { tenant, channels: sender });
                }
            }
        }
        load
    }

    /// Returns the channels of a subscriber: a part of its installation's that overlaps with those of others.
    fn subscribed_by(&self, tenant: usize, number: usize) -> Vec<usize> {
        let own: Vec<usize> =
            (0..self.channels.len()).filter(|index| self.channels[*index].tenant == tenant).collect();
        let first = number * own.len() / SUBSCRIBERS;
        (0..SUBSCRIPTIONS).map(|offset| own[(first + offset) % own.len()]).collect()
    }

    fn publish_regularly(
        &self,
        tenant: usize,
        sender: mpsc::Sender<usize>,
        interval: Duration,
        mut random: Random,
    ) {
        let (channels, is_publishing) = (self.channels.clone(), self.is_publishing.clone());
        let sender = sender.downgrade();
        runtime().spawn(async move {
            let double = u64::try_from(2 * interval.as_micros()).unwrap_or(u64::MAX);
            loop {
                sleep(Duration::from_micros(random.within(0..double))).await;
                let Some(sender) = sender.upgrade() else { return };
                if is_publishing.load(Ordering::Relaxed) {
                    // A publisher that has enough to do skips this one.
                    let _ = sender.try_send(channels::choose(&channels, tenant, &mut random));
                }
            }
        });
    }

    /// Starts or stops the regular publications.
    pub(super) fn publish(&self, is_publishing: bool) {
        self.is_publishing.store(is_publishing, Ordering::Relaxed);
    }

    /// Publishes one message on every channel, the silent ones included.
    pub(super) fn publish_everywhere(&self) {
        runtime().block_on(async {
            for (index, channel) in self.channels.iter().enumerate() {
                let publisher = self.publishers.iter().find(|publisher| publisher.tenant == channel.tenant);
                if let Some(publisher) = publisher {
                    // The publisher lives as long as this value.
                    let _ = publisher.channels.send(index).await;
                }
            }
        });
    }

    /// Returns the number of messages that publishers have not begun to publish.
    pub(super) fn waiting(&self) -> usize {
        self.publishers
            .iter()
            .map(|publisher| publisher.channels.max_capacity() - publisher.channels.capacity())
            .sum()
    }
}

/// Runs a client on a thread of its own, because the client core stays on the thread that created it.
fn own_thread<F: Future<Output = ()>>(client: impl FnOnce() -> F + Send + 'static) {
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.expect("the system has file descriptors").block_on(client());
    });
}
