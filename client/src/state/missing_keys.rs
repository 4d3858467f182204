//! Encryption keys that messages need and the app has not provided: the time of the next request, and the time that the
//! messages wait.
//!
//! A key rotation reaches every page at the same moment, so the first request is spread over [`SPREAD_MS`]. A failed request
//! says nothing about the key and is retried with backoff. An answer without the key may come from a process that has
//! not seen the rotation yet, so messages stop waiting only after several such answers.

use crate::{
    ClientError, Instant,
    entropy::{Entropy, below},
    state::backoff::doubled,
};
use sealwire_protocol::KeyId;

/// The maximum time until the first request.
const SPREAD_MS: u64 = 2_000;
/// The pause after the first request that brought no key. It doubles with every further one, up to [`MAX_PAUSE_MS`].
const FIRST_PAUSE_MS: u64 = 1_000;
const MAX_PAUSE_MS: u64 = 30_000;
/// The maximum time that messages wait for a key.
const MAX_WAIT_MS: u64 = 30_000;
/// Messages stop waiting after this many consecutive answers without any of the keys. At least seven seconds pass between
/// the first and the last of them, and a resolver caches the keys for five seconds when it signs a token.
const MAX_FRUITLESS_ANSWERS: u32 = 4;
/// Messages wait again for an unknown key that arrives after this time without one.
const RESET_AFTER_MS: u64 = 30_000;
const MAX_KEYS: usize = 32;

/// The keys that one source, the session or a channel token, lacks.
#[derive(Default)]
pub(crate) struct MissingKeys {
    keys: Vec<KeyId>,
    /// The time of the next request to the app.
    request_at: Option<Instant>,
    /// A request to the app is pending. It may have been made for another reason; its answer counts as well.
    is_requested: bool,
    /// The time at which waiting messages are checked again.
    check_at: Option<Instant>,
    /// The time until which messages wait.
    wait_until: Option<Instant>,
    /// `wait_until` has passed.
    gave_up: bool,
    /// The last time that a message needed a key, or that a request brought none.
    last_active_at: Option<Instant>,
    /// The end of the pause after the last request.
    pause_ends_at: Option<Instant>,
    /// The number of consecutive requests that brought no key.
    attempts: u32,
    /// The number of those that the app answered, but without any of the keys.
    fruitless_answers: u32,
}

impl MissingKeys {
    /// Returns the number of consecutive requests that brought no key.
    pub(crate) fn attempts(&self) -> usize {
        self.attempts as usize
    }

    /// Returns the time at which [`Self::take_due`] is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        [self.request_at, self.check_at].into_iter().flatten().min()
    }

    /// Records that a message needs `key`. Returns true if the message waits for it.
    pub(crate) fn need(&mut self, now: Instant, key: KeyId, entropy: &mut dyn Entropy) -> bool {
        let is_inactive = self.request_at.is_none() && !self.is_requested;
        if is_inactive && self.last_active_at.is_some_and(|at| now.since(at) >= RESET_AFTER_MS) {
            *self = Self::default();
        }
        self.last_active_at = Some(now);
        if !self.keys.contains(&key) {
            self.keys.truncate(MAX_KEYS - 1);
            self.keys.insert(0, key);
        }
        let until = *self.wait_until.get_or_insert(now.after(MAX_WAIT_MS));
        if self.request_at.is_none() && !self.is_requested {
            let first = || now.after(below(entropy, SPREAD_MS + 1));
            self.request_at = Some(self.pause_ends_at.map_or_else(first, |at| at.max(now)));
        }
        let waits = !self.gave_up && self.fruitless_answers < MAX_FRUITLESS_ANSWERS;
        self.check_at = waits.then_some(until);
        waits
    }

    /// Returns true if the keys must be requested from the app now.
    pub(crate) fn take_due(&mut self, now: Instant) -> bool {
        let due = |at: &mut Instant| *at <= now;
        self.check_at.take_if(due);
        self.gave_up |= self.wait_until.is_some_and(|until| until <= now);
        let is_due = self.request_at.take_if(due).is_some();
        self.is_requested |= is_due;
        is_due
    }

    /// Extends the wait after the machine slept, because the app could not answer in that time.
    pub(crate) fn extend_wait(&mut self, now: Instant) {
        if let Some(until) = &mut self.wait_until {
            *until = (*until).max(now.after(MAX_WAIT_MS / 2));
            self.check_at = self.check_at.map(|_| *until);
        }
    }

    /// Records an answer of the app. `has` says whether a key is available now.
    pub(crate) fn answered(&mut self, now: Instant, has: impl Fn(KeyId) -> bool, entropy: &mut dyn Entropy) {
        let needed = self.keys.len();
        self.keys.retain(|key| !has(*key));
        if self.keys.is_empty() || self.keys.len() < needed {
            let keys = core::mem::take(&mut self.keys);
            *self = Self { keys, ..Self::default() };
        } else if core::mem::take(&mut self.is_requested) {
            self.fruitless_answers += 1;
            self.pause(now, 0, entropy);
        }
    }

    /// Records that the app failed to answer.
    pub(crate) fn failed(&mut self, now: Instant, error: &ClientError, entropy: &mut dyn Entropy) {
        if core::mem::take(&mut self.is_requested) {
            if !error.is_retryable() {
                self.fruitless_answers = MAX_FRUITLESS_ANSWERS;
            }
            self.pause(now, u64::from(error.retry_after_ms.unwrap_or(0)), entropy);
        }
    }

    /// Records that the request got lost: no subscription could make it, or the one that did has left. The next request is
    /// due at once.
    pub(crate) fn request_lost(&mut self) {
        self.is_requested = false;
    }

    fn pause(&mut self, now: Instant, at_least: u64, entropy: &mut dyn Entropy) {
        let pause = doubled(FIRST_PAUSE_MS, self.attempts, MAX_PAUSE_MS);
        self.attempts = (self.attempts + 1).min(16);
        let pause = pause + below(entropy, pause / 2 + 1);
        self.pause_ends_at = Some(now.after(pause.max(at_least)));
        self.last_active_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::tests::Constant;
    use sealwire_protocol::Code;

    const KEY: KeyId = KeyId([1; 4]);
    const OTHER: KeyId = KeyId([2; 4]);

    fn failure() -> ClientError {
        ClientError::new(Code::SessionUnavailable, "the app failed")
    }

    #[test]
    fn the_first_request_is_spread_over_two_seconds_and_made_once() {
        for byte in 0..=255 {
            let mut missing = MissingKeys::default();
            assert!(missing.need(Instant(10_000), KEY, &mut Constant(byte)));
            let at = missing.deadline().unwrap();
            assert!((10_000..=12_000).contains(&at.0), "{at:?}");
            assert!(missing.take_due(at));
            assert!(!missing.take_due(at.after(60_000)));
        }
    }

    #[test]
    fn failed_requests_are_retried_with_backoff_while_messages_arrive() {
        let (mut missing, mut entropy) = (MissingKeys::default(), Constant(0));
        let (mut now, mut pauses) = (Instant(0), Vec::new());
        for _ in 0..8 {
            missing.need(now, KEY, &mut entropy);
            let at = missing.request_at.unwrap();
            pauses.push(at.since(now));
            now = at;
            assert!(missing.take_due(now));
            missing.failed(now, &failure(), &mut entropy);
        }
        assert_eq!(pauses, [0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert_eq!(missing.request_at, None, "no message arrived since");
    }

    #[test]
    fn messages_wait_thirty_seconds_despite_failures_and_again_for_the_next_key() {
        let (mut missing, mut entropy) = (MissingKeys::default(), Constant(0));
        assert!(missing.need(Instant(0), KEY, &mut entropy));
        missing.take_due(Instant(0));
        missing.failed(Instant(0), &failure(), &mut entropy);
        missing.take_due(Instant(29_999));
        assert!(missing.need(Instant(29_999), KEY, &mut entropy));
        missing.take_due(Instant(30_000));
        assert!(!missing.need(Instant(30_000), KEY, &mut entropy));
        missing.answered(Instant(30_000), |_| true, &mut entropy);
        assert_eq!(missing.deadline(), None);
        assert!(missing.need(Instant(30_001), OTHER, &mut entropy));
    }

    #[test]
    fn messages_wait_longer_after_a_sleep() {
        let (mut missing, mut entropy) = (MissingKeys::default(), Constant(0));
        missing.need(Instant(0), KEY, &mut entropy);
        missing.extend_wait(Instant(90_000));
        missing.take_due(Instant(90_000));
        assert!(missing.need(Instant(90_000), KEY, &mut entropy));
        missing.take_due(Instant(105_000));
        assert!(!missing.need(Instant(105_000), KEY, &mut entropy));
    }

    #[test]
    fn messages_stop_waiting_after_four_answers_without_their_key_or_a_permanent_refusal() {
        let (mut missing, mut entropy) = (MissingKeys::default(), Constant(0));
        for _ in 0..4 {
            assert!(missing.need(Instant(0), KEY, &mut entropy));
            let at = missing.request_at.unwrap();
            missing.take_due(at);
            missing.answered(at, |_| false, &mut entropy);
        }
        assert!(!missing.need(Instant(1), KEY, &mut entropy));
        assert!(missing.request_at.is_some(), "the key is still requested");
        let mut missing = MissingKeys::default();
        missing.need(Instant(0), KEY, &mut entropy);
        missing.take_due(Instant(0));
        missing.failed(Instant(0), &ClientError::new(Code::PermissionMissing, "no"), &mut entropy);
        assert!(!missing.need(Instant(1), KEY, &mut entropy));
    }

    #[test]
    fn an_answer_to_another_request_does_not_count() {
        let (mut missing, mut entropy) = (MissingKeys::default(), Constant(0));
        for _ in 0..5 {
            assert!(missing.need(Instant(0), KEY, &mut entropy));
            missing.answered(Instant(0), |_| false, &mut entropy);
        }
        assert_eq!((missing.fruitless_answers, missing.request_at), (0, Some(Instant(0))));
    }
}
