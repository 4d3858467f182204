//! The pace at which pages publish, independent of the acknowledgements.

use std::time::{Duration, Instant};

/// A number of publications a second, by publishers that take turns.
pub(crate) struct Pace {
    /// The page and the channel of each publisher.
    publishers: Vec<(usize, u32)>,
    rate: f64,
    published: u64,
    start: Instant,
}

impl Pace {
    pub(crate) fn new(publishers: Vec<(usize, u32)>, rate: f64) -> Self {
        Self { publishers, rate, published: 0, start: Instant::now() }
    }

    /// A pace that publishes nothing.
    pub(crate) fn silent() -> Self {
        Self::new(Vec::new(), 1.0)
    }

    /// Returns the page and the channel of the next publication that is due.
    pub(crate) fn next(&mut self) -> Option<(usize, u32)> {
        let count = self.publishers.len() as u64;
        if count == 0 || self.due_in() > Duration::ZERO {
            return None;
        }
        let publisher = self.publishers[usize::try_from(self.published % count).unwrap_or_default()];
        self.published += 1;
        Some(publisher)
    }

    /// Returns the time until the next publication.
    pub(crate) fn wait(&self) -> Duration {
        if self.publishers.is_empty() { Duration::MAX } else { self.due_in() }
    }

    fn due_in(&self) -> Duration {
        Duration::from_secs_f64(self.published as f64 / self.rate).saturating_sub(self.start.elapsed())
    }
}
