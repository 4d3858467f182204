//! Keys that messages need and nobody has provided yet: when the app is asked for them, and how long messages wait.
//!
//! A rotation reaches every page at one moment, so the first request is spread over [`SPREAD_MS`]. A failure says nothing
//! about a key: the app is asked again, after a growing pause. An answer without the key may come from a process that
//! has not seen the rotation yet, so it takes several of them until messages stop waiting.

use crate::{
    ClientError, Instant,
    entropy::{Entropy, below},
    state::backoff::doubled,
};
use sealwire_protocol::KeyId;

/// The longest time until the first request.
const SPREAD_MS: u64 = 2_000;
/// The pause after the first request that brought nothing; it doubles up to [`LONGEST_PAUSE_MS`].
const FIRST_PAUSE_MS: u64 = 1_000;
const LONGEST_PAUSE_MS: u64 = 30_000;
/// The longest time that messages wait for a key.
const PATIENCE_MS: u64 = 30_000;
/// Messages stop waiting after this many answers in a row that brought none of the keys. The last of them comes seven
/// seconds after the first at the earliest; a resolver remembers the keys for five seconds when it signs a token.
const FRUITLESS_ANSWERS: u32 = 4;
/// Messages wait again for a key that comes after so long without unknown keys.
const QUIET_MS: u64 = 30_000;
const MAX_KEYS: usize = 32;

/// The keys that one source of them, the session or a channel token, lacks.
#[derive(Default)]
pub(crate) struct Missing {
    keys: Vec<KeyId>,
    /// The time of the next request to the app.
    at: Option<Instant>,
    /// The app is being asked, or what it is asked for otherwise will answer this as well.
    asked: bool,
    /// The time of the next look at the messages that wait.
    look_at: Option<Instant>,
    /// The end of the messages' wait; `gave_up` is set once it has passed.
    until: Option<Instant>,
    gave_up: bool,
    /// The last time that a key was wanted, or asked for in vain.
    active_at: Option<Instant>,
    /// The end of the pause after the last request.
    pause_ends: Option<Instant>,
    /// Requests in a row that brought nothing.
    vain: u32,
    fruitless: u32,
}

impl Missing {
    /// The number of requests to the app that brought nothing.
    pub(crate) fn attempts(&self) -> usize {
        self.vain as usize
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        [self.at, self.look_at].into_iter().flatten().min()
    }

    /// A message under `key` came, or still waits. Returns whether it waits on.
    pub(crate) fn want(&mut self, now: Instant, key: KeyId, entropy: &mut dyn Entropy) -> bool {
        let is_quiet = self.at.is_none() && !self.asked;
        if is_quiet && self.active_at.is_some_and(|at| now.since(at) >= QUIET_MS) {
            *self = Self::default();
        }
        self.active_at = Some(now);
        if !self.keys.contains(&key) {
            self.keys.truncate(MAX_KEYS - 1);
            self.keys.insert(0, key);
        }
        let until = *self.until.get_or_insert(now.after(PATIENCE_MS));
        if self.at.is_none() && !self.asked {
            let first = || now.after(below(entropy, SPREAD_MS + 1));
            self.at = Some(self.pause_ends.map_or_else(first, |at| at.max(now)));
        }
        let waits = !self.gave_up && self.fruitless < FRUITLESS_ANSWERS;
        self.look_at = waits.then_some(until);
        waits
    }

    /// Returns true if the app is to be asked now.
    pub(crate) fn take_due(&mut self, now: Instant) -> bool {
        let due = |at: &mut Instant| *at <= now;
        self.look_at.take_if(due);
        self.gave_up |= self.until.is_some_and(|until| until <= now);
        let asks = self.at.take_if(due).is_some();
        self.asked |= asks;
        asks
    }

    /// The machine slept, and the app could not answer meanwhile.
    pub(crate) fn woke(&mut self, now: Instant) {
        if let Some(until) = &mut self.until {
            *until = (*until).max(now.after(PATIENCE_MS / 2));
            self.look_at = self.look_at.map(|_| *until);
        }
    }

    /// The app answered, and `has` tells what there is now.
    pub(crate) fn answered(&mut self, now: Instant, has: impl Fn(KeyId) -> bool, entropy: &mut dyn Entropy) {
        let wanted = self.keys.len();
        self.keys.retain(|key| !has(*key));
        if self.keys.is_empty() || self.keys.len() < wanted {
            let keys = core::mem::take(&mut self.keys);
            *self = Self { keys, ..Self::default() };
        } else if core::mem::take(&mut self.asked) {
            self.fruitless += 1;
            self.pause(now, 0, entropy);
        }
    }

    /// The app could not answer.
    pub(crate) fn failed(&mut self, now: Instant, error: &ClientError, entropy: &mut dyn Entropy) {
        if core::mem::take(&mut self.asked) {
            if !error.is_retryable() {
                self.fruitless = FRUITLESS_ANSWERS;
            }
            self.pause(now, u64::from(error.retry_after_ms.unwrap_or(0)), entropy);
        }
    }

    /// Nobody was there to ask, or whoever was asked is gone: the next one is asked at once.
    pub(crate) fn not_asked(&mut self) {
        self.asked = false;
    }

    fn pause(&mut self, now: Instant, at_least: u64, entropy: &mut dyn Entropy) {
        let pause = doubled(FIRST_PAUSE_MS, self.vain, LONGEST_PAUSE_MS);
        self.vain = (self.vain + 1).min(16);
        let pause = pause + below(entropy, pause / 2 + 1);
        self.pause_ends = Some(now.after(pause.max(at_least)));
        self.active_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Entropy;
    use sealwire_protocol::Code;

    struct Constant(u8);

    impl Entropy for Constant {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    const KEY: KeyId = KeyId([1; 4]);
    const OTHER: KeyId = KeyId([2; 4]);

    fn failure() -> ClientError {
        ClientError::new(Code::SessionUnavailable, "the app failed")
    }

    #[test]
    fn the_first_request_is_spread_over_two_seconds_and_comes_once() {
        for byte in 0..=255 {
            let mut missing = Missing::default();
            assert!(missing.want(Instant(10_000), KEY, &mut Constant(byte)));
            let at = missing.deadline().unwrap();
            assert!((10_000..=12_000).contains(&at.0), "{at:?}");
            assert!(missing.take_due(at));
            assert!(!missing.take_due(at.after(60_000)));
        }
    }

    #[test]
    fn failures_are_repeated_ever_later_for_as_long_as_messages_come() {
        let (mut missing, mut entropy) = (Missing::default(), Constant(0));
        let (mut now, mut pauses) = (Instant(0), Vec::new());
        for _ in 0..8 {
            missing.want(now, KEY, &mut entropy);
            let at = missing.at.unwrap();
            pauses.push(at.since(now));
            now = at;
            assert!(missing.take_due(now));
            missing.failed(now, &failure(), &mut entropy);
        }
        assert_eq!(pauses, [0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert_eq!(missing.at, None, "nothing came since");
    }

    #[test]
    fn messages_wait_through_failures_for_thirty_seconds_and_again_for_the_next_key() {
        let (mut missing, mut entropy) = (Missing::default(), Constant(0));
        assert!(missing.want(Instant(0), KEY, &mut entropy));
        missing.take_due(Instant(0));
        missing.failed(Instant(0), &failure(), &mut entropy);
        missing.take_due(Instant(29_999));
        assert!(missing.want(Instant(29_999), KEY, &mut entropy));
        missing.take_due(Instant(30_000));
        assert!(!missing.want(Instant(30_000), KEY, &mut entropy));
        missing.answered(Instant(30_000), |_| true, &mut entropy);
        assert_eq!(missing.deadline(), None);
        assert!(missing.want(Instant(30_001), OTHER, &mut entropy));
    }

    #[test]
    fn messages_wait_on_after_a_sleep() {
        let (mut missing, mut entropy) = (Missing::default(), Constant(0));
        missing.want(Instant(0), KEY, &mut entropy);
        missing.woke(Instant(90_000));
        missing.take_due(Instant(90_000));
        assert!(missing.want(Instant(90_000), KEY, &mut entropy));
        missing.take_due(Instant(105_000));
        assert!(!missing.want(Instant(105_000), KEY, &mut entropy));
    }

    #[test]
    fn messages_stop_waiting_after_four_answers_without_their_key_or_a_refusal_for_good() {
        let (mut missing, mut entropy) = (Missing::default(), Constant(0));
        for _ in 0..4 {
            assert!(missing.want(Instant(0), KEY, &mut entropy));
            let at = missing.at.unwrap();
            missing.take_due(at);
            missing.answered(at, |_| false, &mut entropy);
        }
        assert!(!missing.want(Instant(1), KEY, &mut entropy));
        assert!(missing.at.is_some(), "the app is still asked");
        let mut missing = Missing::default();
        missing.want(Instant(0), KEY, &mut entropy);
        missing.take_due(Instant(0));
        missing.failed(Instant(0), &ClientError::new(Code::PermissionMissing, "no"), &mut entropy);
        assert!(!missing.want(Instant(1), KEY, &mut entropy));
    }

    #[test]
    fn an_answer_that_came_for_another_reason_costs_nothing() {
        let (mut missing, mut entropy) = (Missing::default(), Constant(0));
        for _ in 0..5 {
            assert!(missing.want(Instant(0), KEY, &mut entropy));
            missing.answered(Instant(0), |_| false, &mut entropy);
        }
        assert_eq!((missing.fruitless, missing.at), (0, Some(Instant(0))));
    }
}
