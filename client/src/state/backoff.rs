//! The wait between two attempts: doubling, capped, and spread over most of that. A relay that crashed or stood still
//! lost all its clients at one moment, and must not get them back at another one.

use crate::entropy::{Entropy, below};

/// The longest first wait. As with the relay's own goodbye at its end, a fleet returns over three seconds.
const FIRST_MS: u64 = 3_000;
const CAP_MS: u64 = 30_000;
/// What a relay asks for is spread over at most this much more.
const MAX_SPREAD_MS: u64 = 5_000;

/// A wait that doubles with each of the attempts, up to `cap_ms`.
pub(crate) fn doubled(first_ms: u64, attempts: u32, cap_ms: u64) -> u64 {
    first_ms.checked_shl(attempts).unwrap_or(cap_ms).min(cap_ms)
}

#[derive(Debug, Default)]
pub(crate) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The wait before the next attempt: anything between an eighth of the current ceiling and the whole.
    pub(crate) fn next(&mut self, entropy: &mut dyn Entropy) -> u64 {
        let ceiling = doubled(FIRST_MS, self.attempts, CAP_MS);
        self.attempts = (self.attempts + 1).min(16);
        let least = ceiling / 8;
        least + below(entropy, ceiling - least + 1)
    }

    /// The wait that the relay asked for, spread; never shorter than asked.
    pub(crate) fn asked(&mut self, after_ms: u32, entropy: &mut dyn Entropy) -> u64 {
        self.attempts = (self.attempts + 1).min(16);
        let after = u64::from(after_ms);
        after + below(entropy, (after / 2).min(MAX_SPREAD_MS) + 1)
    }

    /// The connection held: the next loss starts from the beginning.
    pub(crate) fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Constant(u8);

    impl Entropy for Constant {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn waits_double_up_to_the_cap_and_start_again_after_a_reset() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..8).map(|_| backoff.next(&mut Constant(0))).collect();
        assert_eq!(waits, [375, 750, 1_500, 3_000, 3_750, 3_750, 3_750, 3_750]);
        backoff.reset();
        assert_eq!(backoff.next(&mut Constant(0)), 375);
    }

    #[test]
    fn waits_never_leave_their_bounds() {
        for byte in 0..=255 {
            let mut backoff = Backoff::default();
            for attempt in 0..100 {
                let ceiling = (3_000 << attempt.min(5)).min(30_000);
                let wait = backoff.next(&mut Constant(byte));
                assert!((ceiling / 8..=ceiling).contains(&wait), "{attempt}: {wait}");
            }
            let asked = backoff.asked(4_000, &mut Constant(byte));
            assert!((4_000..=6_000).contains(&asked));
            assert!(backoff.asked(u32::MAX, &mut Constant(byte)) >= u64::from(u32::MAX));
        }
    }
}
