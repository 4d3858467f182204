//! The end of a relay in good order: nothing new is taken, what was taken is delivered, and the clients leave one after
//! the other, so that they do not arrive elsewhere all at once.

use crate::{connection::Registry, fanout::Deliveries, lifecycle::Lifecycle};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// So many clients leave in a second where the window allows it: a relay with few of them ends sooner.
const LEAVE_PER_SECOND: u32 = 1000;

/// How long a relay may take to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DrainConfig {
    /// Over how long the clients' goodbyes are spread at most.
    pub(crate) window: Duration,
    /// When what is left is cut off, from the beginning of the drain.
    pub(crate) deadline: Duration,
}

/// What a drain needs of a relay.
pub(crate) struct Drain {
    pub(crate) terms: DrainConfig,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) deliveries: Deliveries,
    /// Ends the listeners.
    pub(crate) ended: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl Drain {
    /// Ends the relay. Returns how many connections had to be cut off.
    pub(crate) async fn run(self) -> usize {
        let start = Instant::now();
        let deadline = start + self.terms.deadline;
        self.lifecycle.start_draining();
        let orderly = async {
            // First everything that was acknowledged reaches its subscribers' queues; their goodbyes go behind it. A
            // publication that one relay took while its subscribers were on their way to another would be lost in silence.
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
        let most = u32::try_from(connections.len()).unwrap_or(u32::MAX);
        let window = self.terms.window.min(Duration::from_secs(1) * most / LEAVE_PER_SECOND);
        tracing::info!(connections = most, ?window, "saying goodbye");
        for (number, connection) in (0..most).zip(connections) {
            let due = start + window.mul_f64(f64::from(number) / f64::from(most));
            if due > Instant::now() {
                sleep_until(due).await;
            }
            connection.wake_for_shutdown();
        }
    }
}
