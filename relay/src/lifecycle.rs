//! Where the relay stands between its start and its end: whether it takes new clients and publications, and what is
//! still under way.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// More publications than can ever be under way at once.
const MANY: u32 = 1 << 29;

pub(crate) struct Lifecycle {
    draining: AtomicBool,
    publishing: Arc<Semaphore>,
}

/// A publication on its way to the broker; whoever drains the relay waits until it is dropped.
pub(crate) struct UnderWay {
    _permit: OwnedSemaphorePermit,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self { draining: AtomicBool::new(false), publishing: Arc::new(Semaphore::new(MANY as usize)) }
    }
}

impl Lifecycle {
    /// Whether the relay is ending: it takes no new clients, and is not ready.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Asks to publish; `None` where nothing is published any more.
    pub(crate) fn publish(&self) -> Option<UnderWay> {
        let permit = self.publishing.clone().try_acquire_owned().ok()?;
        Some(UnderWay { _permit: permit })
    }

    /// From here on nobody is let in.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// From here on nothing is published; returns once everything that was under way has been answered.
    pub(crate) async fn stop_publishing(&self) {
        // Taking all permits waits for those that are out, and lets none out meanwhile.
        if let Ok(all) = self.publishing.acquire_many(MANY).await {
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
    fn publishing_stops_once_what_is_under_way_has_ended_and_nothing_begins_meanwhile() {
        let lifecycle = Lifecycle::default();
        let (first, second) = (lifecycle.publish(), lifecycle.publish());
        assert!(first.is_some() && second.is_some());
        let mut stopped = pin!(lifecycle.stop_publishing());
        let mut is_stopped = || stopped.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
        assert!(!is_stopped());
        assert!(lifecycle.publish().is_none());
        drop(first);
        assert!(!is_stopped());
        assert!(lifecycle.publish().is_none());
        drop(second);
        assert!(is_stopped());
        assert!(lifecycle.publish().is_none());
    }
}
