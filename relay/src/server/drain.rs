//! The drain at the end of a relay: new work is refused, accepted publications are delivered, and the clients leave one
//! after the other, so that they do not all reconnect at once.

use crate::{connection::Registry, fanout::Deliveries, lifecycle::Lifecycle};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The number of clients that leave per second, unless the window requires more. With few clients, the drain is shorter
/// than the window.
const LEAVE_PER_SECOND: u32 = 1000;

/// The time limits of a drain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DrainConfig {
    /// The longest time over which the goodbyes to clients are spread.
    pub(crate) window: Duration,
    /// The time from the start of the drain after which the remaining connections are cut off.
    pub(crate) deadline: Duration,
}

/// The parts of a relay that a drain needs.
pub(crate) struct Drain {
    pub(crate) config: DrainConfig,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) deliveries: Deliveries,
    /// Cancelled to end the listeners and the background tasks.
    pub(crate) ended: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl Drain {
    /// Shuts the relay down. Returns the number of connections that were cut off.
    pub(crate) async fn run(self) -> usize {
        let start = Instant::now();
        let deadline = start + self.config.deadline;
        self.lifecycle.start_draining();
        let orderly = async {
            // Acknowledged publications enter their subscribers' queues before the goodbyes do. Otherwise a publication that
            // this relay accepted while its subscribers moved to another relay would be lost without a gap.
            self.lifecycle.stop_publishing().await;
            self.deliveries.wait_until_delivered().await;
            self.say_goodbye(start).await;
        };
        let _ = timeout_at(deadline, orderly).await;
        self.ended.cancel();
        self.tasks.close();
        let _ = timeout_at(deadline, self.tasks.wait()).await;
        self.registry.len()
    }

    async fn say_goodbye(&self, start: Instant) {
        let connections = self.registry.close();
        let count = u32::try_from(connections.len()).unwrap_or(u32::MAX);
        let window = self.config.window.min(Duration::from_secs(1) * count / LEAVE_PER_SECOND);
        tracing::info!(connections = count, ?window, "saying goodbye to all clients");
        for (number, connection) in (0..count).zip(connections) {
            let due = start + window.mul_f64(f64::from(number) / f64::from(count));
            if due > Instant::now() {
                sleep_until(due).await;
            }
            connection.wake_for_shutdown();
        }
    }
}
