//! Exponential backoff with jitter between two attempts to connect. A relay that crashed or stalled lost all its clients at
//! the same moment, and they must not all return at the same moment.

use crate::entropy::{Entropy, below};

/// The maximum of the first wait. As after the relay's own goodbye, its clients return over three seconds.
const INITIAL_MAX_MS: u64 = 3_000;
const MAX_MS: u64 = 30_000;
/// The maximum jitter on top of a wait that the relay requested.
const MAX_REQUESTED_JITTER_MS: u64 = 5_000;

/// Returns `first_ms`, doubled `attempts` times, but at most `max_ms`.
pub(crate) fn doubled(first_ms: u64, attempts: u32, max_ms: u64) -> u64 {
    first_ms.checked_shl(attempts).unwrap_or(max_ms).min(max_ms)
}

/// Counts the attempts since the last stable connection.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// Returns the wait before the next attempt: between an eighth of the current maximum and the maximum.
    pub(crate) fn next(&mut self, entropy: &mut dyn Entropy) -> u64 {
        let max = doubled(INITIAL_MAX_MS, self.attempts, MAX_MS);
        self.attempts = (self.attempts + 1).min(16);
        let min = max / 8;
        min + below(entropy, max - min + 1)
    }

    /// Returns the wait that the relay requested, plus jitter.
    pub(crate) fn requested(&mut self, after_ms: u32, entropy: &mut dyn Entropy) -> u64 {
        self.attempts = (self.attempts + 1).min(16);
        let after = u64::from(after_ms);
        after + below(entropy, (after / 2).min(MAX_REQUESTED_JITTER_MS) + 1)
    }

    /// Starts again with the shortest wait, after a stable connection.
    pub(crate) fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::tests::Constant;

    #[test]
    fn waits_double_up_to_the_maximum_and_start_again_after_a_reset() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..8).map(|_| backoff.next(&mut Constant(0))).collect();
        assert_eq!(waits, [375, 750, 1_500, 3_000, 3_750, 3_750, 3_750, 3_750]);
        backoff.reset();
        assert_eq!(backoff.next(&mut Constant(0)), 375);
    }

    #[test]
    fn waits_stay_within_their_bounds() {
        for byte in 0..=255 {
            let mut backoff = Backoff::default();
            for attempt in 0..100 {
                let max = (3_000 << attempt.min(5)).min(30_000);
                let wait = backoff.next(&mut Constant(byte));
                assert!((max / 8..=max).contains(&wait), "{attempt}: {wait}");
            }
            let requested = backoff.requested(4_000, &mut Constant(byte));
            assert!((4_000..=6_000).contains(&requested));
            assert!(backoff.requested(u32::MAX, &mut Constant(byte)) >= u64::from(u32::MAX));
        }
    }
}
