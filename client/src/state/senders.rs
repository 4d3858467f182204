//! The messages that a subscription has received, by sender. They show whether the relay delivers a message twice, delivers an
//! old one, or leaves one out.

use sealwire_protocol::{OpenedMessage, SenderId, Stamp, limits};

/// The most senders that a subscription remembers.
const MAX_SENDERS: usize = 1024;
/// The most numbers below the highest one that a subscription remembers of each sender.
const WINDOW: u32 = 256;
const MAX_AGE_MS: u64 = limits::MAX_MESSAGE_AGE * 1000;
const MAX_AHEAD_MS: u64 = limits::CLOCK_SKEW * 1000;

/// The judgement of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The subscription has not received the message before.
    New {
        /// The message shows that the relay left out an earlier one of its sender.
        is_withheld_before: bool,
    },
    /// The subscription has received the message before.
    Repeated,
    /// The message is older than any message that an honest relay delivers.
    Old,
    /// The message was sealed later than now.
    Ahead,
}

/// The senders of a subscription's messages.
#[derive(Default)]
pub(crate) struct Senders {
    senders: Vec<Sender>,
    /// The time of the newest message of all forgotten senders, in Unix milliseconds. An older message of an unknown sender
    /// may be the repetition of a forgotten one.
    forgotten_ms: u64,
    /// The number of interruptions. After one, any number may be missing.
    run: u32,
}

struct Sender {
    id: SenderId,
    /// The highest number received.
    highest: u32,
    /// Bit `i % 32` of word `i / 32` says that the number `highest - i` was received.
    received: [u32; WINDOW as usize / 32],
    /// The interruptions before [`Self::first`].
    run: u32,
    /// The first number received since the last interruption. Nothing below it counts as missing.
    first: u32,
    /// The time of the newest message, in Unix milliseconds.
    newest_ms: u64,
}

impl Senders {
    /// Records that messages may be missing for a known reason. They do not count as left out.
    pub(crate) fn interrupt(&mut self) {
        self.run = self.run.wrapping_add(1);
    }

    /// Returns true if a message would be refused for its time.
    pub(crate) fn is_untimely(&self, now_ms: u64, message: &OpenedMessage) -> bool {
        let known = self.senders.iter().find(|known| known.id == message.sender);
        !known.is_some_and(|known| known.has_received(message.stamp.number))
            && untimely(now_ms, message.published_at.0).is_some()
    }

    /// Judges a message and records it, unless it is refused. `now_ms` is the time by the clock that the backend vouches for.
    pub(crate) fn receive(&mut self, now_ms: u64, message: &OpenedMessage) -> Verdict {
        let OpenedMessage { sender, stamp, published_at, .. } = message;
        let known = self.senders.iter_mut().find(|known| known.id == *sender);
        if known.as_ref().is_some_and(|known| known.has_received(stamp.number)) {
            return Verdict::Repeated;
        }
        let published_ms = published_at.0;
        if let Some(verdict) = untimely(now_ms, published_ms) {
            return self.refuse(verdict);
        }
        let run = self.run;
        match known {
            Some(known) if known.is_forgotten(stamp.number) => self.refuse(Verdict::Old),
            Some(known) => {
                known.newest_ms = known.newest_ms.max(published_ms);
                Verdict::New { is_withheld_before: known.receive(run, *stamp) }
            }
            None if published_ms <= self.forgotten_ms => self.refuse(Verdict::Old),
            None => {
                self.make_room(now_ms);
                self.senders.push(Sender::new(*sender, run, stamp.number, published_ms));
                Verdict::New { is_withheld_before: false }
            }
        }
    }

    /// A refused message is reported, so it does not count as left out.
    fn refuse(&mut self, verdict: Verdict) -> Verdict {
        self.interrupt();
        verdict
    }

    /// Forgets the sender that was silent for the longest time if there is no room for another one.
    fn make_room(&mut self, now_ms: u64) {
        if self.senders.len() < MAX_SENDERS {
            return;
        }
        // Messages of these senders are refused for their age, so nothing is lost with them.
        self.senders.retain(|sender| sender.newest_ms.saturating_add(MAX_AGE_MS) >= now_ms);
        if self.senders.len() < MAX_SENDERS {
            return;
        }
        let oldest = self.senders.iter().enumerate().min_by_key(|(_, sender)| sender.newest_ms);
        if let Some((index, oldest)) = oldest {
            self.forgotten_ms = self.forgotten_ms.max(oldest.newest_ms);
            self.senders.swap_remove(index);
        }
    }
}

/// Returns the refusal of a message that was sealed at this time, if there is one.
fn untimely(now_ms: u64, published_ms: u64) -> Option<Verdict> {
    if published_ms > now_ms.saturating_add(MAX_AHEAD_MS) {
        Some(Verdict::Ahead)
    } else if published_ms.saturating_add(MAX_AGE_MS) < now_ms {
        Some(Verdict::Old)
    } else {
        None
    }
}

impl Sender {
    fn new(id: SenderId, run: u32, number: u32, newest_ms: u64) -> Self {
        let mut received = [0; WINDOW as usize / 32];
        received[0] = 1;
        Self { id, highest: number, received, run, first: number, newest_ms }
    }

    fn has_received(&self, number: u32) -> bool {
        let Some(below) = self.highest.checked_sub(number) else { return false };
        below < WINDOW && self.received[below as usize / 32] >> (below % 32) & 1 == 1
    }

    /// Returns true if the number is so low that the subscription no longer knows whether it was received.
    fn is_forgotten(&self, number: u32) -> bool {
        self.highest.checked_sub(number).is_some_and(|below| below >= WINDOW)
    }

    /// Records a number. Returns true if its stamp shows that an earlier message is missing.
    fn receive(&mut self, run: u32, stamp: Stamp) -> bool {
        if let Some(by) = stamp.number.checked_sub(self.highest) {
            self.shift(by);
            self.highest = stamp.number;
        }
        let below = self.highest - stamp.number;
        self.received[below as usize / 32] |= 1 << (below % 32);
        if self.run != run {
            (self.run, self.first) = (run, stamp.number);
        }
        let mut claimed = stamp.confirmed_numbers().take_while(|number| *number > self.first);
        let is_missing = claimed.any(|number| !self.is_forgotten(number) && !self.has_received(number));
        if is_missing {
            // Each missing message is reported once.
            self.first = stamp.number;
        }
        is_missing
    }

    /// Moves the received numbers down by `by` places.
    fn shift(&mut self, by: u32) {
        let (words, bits) = (by as usize / 32, by % 32);
        for index in (0..self.received.len()).rev() {
            let word = |back: usize| index.checked_sub(back).map_or(0, |index| self.received[index]);
            let low = if bits == 0 { 0 } else { word(words + 1) >> (32 - bits) };
            self.received[index] = word(words) << bits | low;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwire_protocol::UnixMillis;

    const NOW: u64 = 1_800_000_000_000;
    const NEW: Verdict = Verdict::New { is_withheld_before: false };
    const WITHHELD: Verdict = Verdict::New { is_withheld_before: true };

    fn id(number: u32) -> SenderId {
        let mut id = [0; SenderId::LEN];
        id[..4].copy_from_slice(&number.to_be_bytes());
        SenderId(id)
    }

    fn at(sender: u32, published_ms: u64, stamp: Stamp) -> OpenedMessage {
        let payload = String::new();
        OpenedMessage { sender: id(sender), stamp, published_at: UnixMillis(published_ms), payload }
    }

    /// A message whose sender knows that all earlier ones were acknowledged.
    fn sequential(sender: u32, number: u32) -> OpenedMessage {
        at(sender, NOW, Stamp { number, settled: number - 1, confirmed: u64::MAX })
    }

    #[test]
    fn each_number_of_a_sender_is_taken_once() {
        let mut senders = Senders::default();
        for number in [1, 2, 3] {
            assert_eq!(senders.receive(NOW, &sequential(1, number)), NEW);
        }
        for number in [3, 1, 2] {
            assert_eq!(senders.receive(NOW, &sequential(1, number)), Verdict::Repeated);
        }
        assert_eq!(senders.receive(NOW, &sequential(2, 3)), NEW, "another sender");
    }

    #[test]
    fn numbers_are_remembered_in_any_order_and_over_the_whole_window() {
        let unordered = |number| at(1, NOW, Stamp { number, settled: 0, confirmed: 0 });
        let mut senders = Senders::default();
        for number in [300, 100, 44, 299, 331, 332] {
            assert_eq!(
                senders.receive(NOW, &unordered(number)),
                if number > 76 { NEW } else { Verdict::Old }
            );
        }
        for number in [300, 100, 299, 331, 332] {
            assert_eq!(senders.receive(NOW, &unordered(number)), Verdict::Repeated, "{number}");
        }
        assert_eq!(senders.receive(NOW, &unordered(333 + WINDOW)), NEW);
        assert_eq!(senders.receive(NOW, &unordered(333)), Verdict::Old, "no longer remembered");
        assert_eq!(senders.receive(NOW, &unordered(334)), NEW);
    }

    #[test]
    fn a_confirmed_number_that_did_not_arrive_is_reported_once() {
        let mut senders = Senders::default();
        senders.receive(NOW, &sequential(1, 5));
        assert_eq!(senders.receive(NOW, &sequential(1, 7)), WITHHELD);
        assert_eq!(senders.receive(NOW, &sequential(1, 8)), NEW);
        assert_eq!(senders.receive(NOW, &sequential(1, 6)), NEW, "the late message is not lost");
    }

    #[test]
    fn a_number_that_was_refused_is_under_way_or_precedes_the_first_is_not_missing() {
        let mut senders = Senders::default();
        senders.receive(NOW, &sequential(1, 5));
        let refused = Stamp { number: 7, settled: 6, confirmed: u64::MAX - 1 };
        assert_eq!(senders.receive(NOW, &at(1, NOW, refused)), NEW);
        let under_way = Stamp { number: 9, settled: 7, confirmed: u64::MAX - 2 };
        assert_eq!(senders.receive(NOW, &at(1, NOW, under_way)), NEW);
        let missing = Stamp { number: 10, settled: 8, confirmed: u64::MAX - 4 };
        assert_eq!(senders.receive(NOW, &at(1, NOW, missing)), WITHHELD);
    }

    #[test]
    fn a_number_that_is_missing_for_a_known_reason_is_not_withheld() {
        let mut senders = Senders::default();
        senders.receive(NOW, &sequential(1, 5));
        senders.interrupt();
        assert_eq!(senders.receive(NOW, &sequential(1, 8)), NEW);
        assert_eq!(senders.receive(NOW, &sequential(1, 10)), WITHHELD);
    }

    #[test]
    fn old_messages_and_messages_from_the_future_are_refused() {
        let of = |published_ms| at(1, published_ms, Stamp { number: 1, settled: 0, confirmed: 0 });
        let receive = |message: &OpenedMessage| Senders::default().receive(NOW, message);
        assert_eq!(receive(&of(NOW - MAX_AGE_MS)), NEW);
        assert_eq!(receive(&of(NOW - MAX_AGE_MS - 1)), Verdict::Old);
        assert_eq!(receive(&of(NOW + MAX_AHEAD_MS)), NEW);
        assert_eq!(receive(&of(NOW + MAX_AHEAD_MS + 1)), Verdict::Ahead);
        assert_eq!(receive(&of(u64::MAX)), Verdict::Ahead);
    }

    #[test]
    fn a_refused_message_does_not_count_as_withheld() {
        let mut senders = Senders::default();
        senders.receive(NOW, &sequential(1, 5));
        let ahead = at(1, u64::MAX, Stamp { number: 6, settled: 5, confirmed: u64::MAX });
        assert_eq!(senders.receive(NOW, &ahead), Verdict::Ahead);
        assert_eq!(senders.receive(NOW, &sequential(1, 7)), NEW);
    }

    #[test]
    fn a_flood_of_senders_takes_bounded_memory_and_repeats_nothing() {
        let mut senders = Senders::default();
        let first = at(0, NOW, Stamp { number: 1, settled: 0, confirmed: 0 });
        assert_eq!(senders.receive(NOW, &first), NEW);
        for number in 1..=5_000 {
            let flood = at(number, NOW + u64::from(number), Stamp { number: 1, settled: 0, confirmed: 0 });
            assert_eq!(senders.receive(NOW + u64::from(number), &flood), NEW);
        }
        assert_eq!(senders.senders.len(), MAX_SENDERS);
        assert_eq!(senders.receive(NOW, &first), Verdict::Old, "it may be a repetition");
        let next = at(0, NOW + 5_000, Stamp { number: 2, settled: 1, confirmed: 1 });
        assert_eq!(senders.receive(NOW, &next), NEW, "a forgotten sender is not excluded");
    }

    #[test]
    fn senders_whose_messages_would_be_refused_for_their_age_are_forgotten_first() {
        let mut senders = Senders::default();
        for number in 0..=u32::try_from(MAX_SENDERS).unwrap() {
            senders.receive(NOW, &sequential(number, 1));
        }
        let later = NOW + MAX_AGE_MS + 1;
        let current = at(9_999, later, Stamp { number: 1, settled: 0, confirmed: 0 });
        assert_eq!(senders.receive(later, &current), NEW);
        assert_eq!((senders.senders.len(), senders.forgotten_ms), (1, NOW));
    }
}
