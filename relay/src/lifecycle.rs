//! Tracks shutdown: whether the relay still accepts connections and publications, and how many publications are in
//! flight.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The number of semaphore permits: more than there can ever be publications in flight.
const MAX_IN_FLIGHT: u32 = 1 << 29;

/// The shutdown state of one relay, shared by all its tasks.
pub(crate) struct Lifecycle {
    draining: AtomicBool,
    in_flight: Arc<Semaphore>,
}

/// Marks one publication as in flight until it is dropped. Shutdown waits for it.
pub(crate) struct PublishGuard {
    _permit: OwnedSemaphorePermit,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self { draining: AtomicBool::new(false), in_flight: Arc::new(Semaphore::new(MAX_IN_FLIGHT as usize)) }
    }
}

impl Lifecycle {
    /// Returns whether the relay is shutting down. It then accepts no new clients and reports that it is not ready.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Registers a publication as in flight. Returns `None` once publishing has stopped.
    pub(crate) fn begin_publish(&self) -> Option<PublishGuard> {
        let permit = self.in_flight.clone().try_acquire_owned().ok()?;
        Some(PublishGuard { _permit: permit })
    }

    /// Stops accepting clients.
    pub(crate) fn start_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Stops accepting publications, and returns once every publication in flight has been answered.
    pub(crate) async fn stop_publishing(&self) {
        // The semaphore is fair: from the moment this waits for all permits, it hands out no others.
        if let Ok(all) = self.in_flight.acquire_many(MAX_IN_FLIGHT).await {
            all.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        pin::pin,
        task::{Context, Waker},
    };

    #[test]
    fn stopping_waits_for_publications_in_flight_and_refuses_new_ones() {
        let lifecycle = Lifecycle::default();
        let (first, second) = (lifecycle.begin_publish(), lifecycle.begin_publish());
        assert!(first.is_some() && second.is_some());
        let mut stopped = pin!(lifecycle.stop_publishing());
        let mut is_stopped = || stopped.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
        assert!(!is_stopped());
        assert!(lifecycle.begin_publish().is_none());
        drop(first);
        assert!(!is_stopped());
        assert!(lifecycle.begin_publish().is_none());
        drop(second);
        assert!(is_stopped());
        assert!(lifecycle.begin_publish().is_none());
    }
}
