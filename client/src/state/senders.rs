//! The messages that a subscription has received, by sender. They show whether the relay delivers a message twice, delivers an
//! old one, or leaves one out.

use crate::Author;
use sealwire_protocol::{OpenedMessage, SenderId, Stamp, limits};

/// The most senders that a subscription remembers.
const MAX_SENDERS: usize = 1024;
/// The most numbers below the highest one that a subscription remembers of each sender. A function that publishes hundreds of
/// messages at once does not know in which order they arrive.
const WINDOW: u32 = 1024;
const WORDS: usize = WINDOW as usize / 32;
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
    /// The message is older than any message that an honest relay delivers, later than now, or may have been received
    /// before.
    Stale,
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
    /// Any party can use the id of another one. Each author has numbers of its own, so that only the author uses them up.
    author: Author,
    /// The highest number received.
    highest: u32,
    /// Bit `n % 32` of word `n / 32 % WORDS` says that the number `n` of the window was received.
    received: [u32; WORDS],
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

    /// Judges a message and records it, unless it is refused. `now_ms` is the time by the clock that the backend vouches for.
    pub(crate) fn receive(&mut self, now_ms: u64, author: &Author, message: &OpenedMessage) -> Verdict {
        let OpenedMessage { sender, stamp, published_at, .. } = message;
        let number = stamp.number;
        let known = self.senders.iter_mut().find(|known| known.id == *sender && known.author == *author);
        let (is_repeated, is_forgotten) = match &known {
            Some(known) => (known.has_received(number), known.is_forgotten(number)),
            None => (false, published_at.0 <= self.forgotten_ms),
        };
        if is_repeated {
            return Verdict::Repeated;
        }
        if is_forgotten || is_untimely(now_ms, published_at.0) {
            // A refused message is reported, so it does not count as left out.
            self.interrupt();
            return Verdict::Stale;
        }
        let run = self.run;
        let known = match known {
            Some(known) => known,
            None => {
                self.make_room();
                self.senders.push(Sender {
                    id: *sender,
                    author: author.clone(),
                    highest: number,
                    received: [0; WORDS],
                    run,
                    first: number,
                    newest_ms: 0,
                });
                let last = self.senders.len() - 1;
                &mut self.senders[last]
            }
        };
        known.newest_ms = known.newest_ms.max(published_at.0);
        Verdict::New { is_withheld_before: known.receive(run, *stamp) }
    }

    /// Forgets the sender that was silent for the longest time if there is no room for another one.
    fn make_room(&mut self) {
        if self.senders.len() < MAX_SENDERS {
            return;
        }
        let mut oldest = 0;
        for (index, sender) in self.senders.iter().enumerate() {
            if sender.newest_ms < self.senders[oldest].newest_ms {
                oldest = index;
            }
        }
        let forgotten = self.senders.swap_remove(oldest);
        self.forgotten_ms = self.forgotten_ms.max(forgotten.newest_ms);
    }
}

/// Returns true if a message that was sealed at this time is too old, or later than now.
pub(crate) fn is_untimely(now_ms: u64, published_ms: u64) -> bool {
    let earliest = now_ms.saturating_sub(MAX_AGE_MS);
    published_ms < earliest || published_ms - earliest > MAX_AGE_MS + MAX_AHEAD_MS
}

impl Sender {
    fn has_received(&self, number: u32) -> bool {
        number <= self.highest
            && !self.is_forgotten(number)
            && self.received[number as usize / 32 % WORDS] >> (number % 32) & 1 == 1
    }

    /// Returns true if the number is so low that the subscription no longer knows whether it was received.
    fn is_forgotten(&self, number: u32) -> bool {
        number.saturating_add(WINDOW) <= self.highest
    }

    /// Records a number. Returns true if its stamp shows that an earlier message is missing.
    fn receive(&mut self, run: u32, stamp: Stamp) -> bool {
        let number = stamp.number;
        if number > self.highest {
            let passed = (number - self.highest).min(WINDOW);
            for passed in number - passed + 1..=number {
                self.received[passed as usize / 32 % WORDS] &= !(1 << (passed % 32));
            }
            self.highest = number;
        }
        self.received[number as usize / 32 % WORDS] |= 1 << (number % 32);
        if self.run != run {
            self.run = run;
            self.first = number;
        }
        let is_missing = stamp.confirmed_numbers().any(|confirmed| {
            confirmed > self.first && !self.is_forgotten(confirmed) && !self.has_received(confirmed)
        });
        if is_missing {
            // Each missing message is reported once.
            self.first = number;
        }
        is_missing
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
        OpenedMessage {
            sender: id(sender),
            stamp,
            published_at: UnixMillis(published_ms),
            payload,
            signature: None,
        }
    }

    fn receive(senders: &mut Senders, now_ms: u64, message: &OpenedMessage) -> Verdict {
        senders.receive(now_ms, &Author::Unverified, message)
    }

    /// A message whose sender knows that all earlier ones were acknowledged.
    fn sequential(sender: u32, number: u32) -> OpenedMessage {
        at(sender, NOW, Stamp { number, confirmed: u64::MAX })
    }

    #[test]
    fn each_number_of_a_sender_is_taken_once() {
        let mut senders = Senders::default();
        for number in [1, 2, 3] {
            assert_eq!(receive(&mut senders, NOW, &sequential(1, number)), NEW);
        }
        for number in [3, 1, 2] {
            assert_eq!(receive(&mut senders, NOW, &sequential(1, number)), Verdict::Repeated);
        }
        assert_eq!(receive(&mut senders, NOW, &sequential(2, 3)), NEW, "another sender");
    }

    #[test]
    fn numbers_are_remembered_in_any_order_and_over_the_whole_window() {
        let unordered = |number| at(1, NOW, Stamp { number, confirmed: 0 });
        let mut senders = Senders::default();
        let top = WINDOW + 44;
        for number in [top, 100, 44, top - 1, top + 31, top + 32] {
            assert_eq!(
                receive(&mut senders, NOW, &unordered(number)),
                if number > 76 { NEW } else { Verdict::Stale }
            );
        }
        for number in [top, 100, top - 1, top + 31, top + 32] {
            assert_eq!(receive(&mut senders, NOW, &unordered(number)), Verdict::Repeated, "{number}");
        }
        let next = top + 33;
        assert_eq!(receive(&mut senders, NOW, &unordered(next + WINDOW)), NEW);
        assert_eq!(receive(&mut senders, NOW, &unordered(next)), Verdict::Stale, "no longer remembered");
        assert_eq!(receive(&mut senders, NOW, &unordered(next + 1)), NEW);
    }

    #[test]
    fn a_confirmed_number_that_did_not_arrive_is_reported_once() {
        let mut senders = Senders::default();
        receive(&mut senders, NOW, &sequential(1, 5));
        assert_eq!(receive(&mut senders, NOW, &sequential(1, 7)), WITHHELD);
        assert_eq!(receive(&mut senders, NOW, &sequential(1, 8)), NEW);
        assert_eq!(receive(&mut senders, NOW, &sequential(1, 6)), NEW, "the late message is not lost");
    }

    #[test]
    fn a_number_that_was_refused_is_under_way_or_precedes_the_first_is_not_missing() {
        let mut senders = Senders::default();
        receive(&mut senders, NOW, &sequential(1, 5));
        let refused = Stamp { number: 7, confirmed: u64::MAX - 1 };
        assert_eq!(receive(&mut senders, NOW, &at(1, NOW, refused)), NEW);
        let under_way = Stamp { number: 9, confirmed: u64::MAX - 0b101 };
        assert_eq!(receive(&mut senders, NOW, &at(1, NOW, under_way)), NEW);
        let missing = Stamp { number: 10, confirmed: u64::MAX - 0b1001 };
        assert_eq!(receive(&mut senders, NOW, &at(1, NOW, missing)), WITHHELD);
    }

    #[test]
    fn a_number_that_is_missing_for_a_known_reason_is_not_withheld() {
        let mut senders = Senders::default();
        receive(&mut senders, NOW, &sequential(1, 5));
        senders.interrupt();
        assert_eq!(receive(&mut senders, NOW, &sequential(1, 8)), NEW);
        assert_eq!(receive(&mut senders, NOW, &sequential(1, 10)), WITHHELD);
    }

    #[test]
    fn old_messages_and_messages_from_the_future_are_refused() {
        let of = |published_ms| at(1, published_ms, Stamp { number: 1, confirmed: 0 });
        let receive = |message: &OpenedMessage| receive(&mut Senders::default(), NOW, message);
        assert_eq!(receive(&of(NOW - MAX_AGE_MS)), NEW);
        assert_eq!(receive(&of(NOW - MAX_AGE_MS - 1)), Verdict::Stale);
        assert_eq!(receive(&of(NOW + MAX_AHEAD_MS)), NEW);
        assert_eq!(receive(&of(NOW + MAX_AHEAD_MS + 1)), Verdict::Stale);
        assert_eq!(receive(&of(u64::MAX)), Verdict::Stale);
    }

    #[test]
    fn a_refused_message_does_not_count_as_withheld() {
        let mut senders = Senders::default();
        receive(&mut senders, NOW, &sequential(1, 5));
        let ahead = at(1, u64::MAX, Stamp { number: 6, confirmed: u64::MAX });
        assert_eq!(receive(&mut senders, NOW, &ahead), Verdict::Stale);
        assert_eq!(receive(&mut senders, NOW, &sequential(1, 7)), NEW);
    }

    #[test]
    fn a_flood_of_senders_takes_bounded_memory_and_repeats_nothing() {
        let mut senders = Senders::default();
        let first = at(0, NOW, Stamp { number: 1, confirmed: 0 });
        assert_eq!(receive(&mut senders, NOW, &first), NEW);
        for number in 1..=5_000 {
            let flood = at(number, NOW + u64::from(number), Stamp { number: 1, confirmed: 0 });
            assert_eq!(receive(&mut senders, NOW + u64::from(number), &flood), NEW);
        }
        assert_eq!(senders.senders.len(), MAX_SENDERS);
        assert_eq!(receive(&mut senders, NOW, &first), Verdict::Stale, "it may be a repetition");
        let next = at(0, NOW + 5_000, Stamp { number: 2, confirmed: 1 });
        assert_eq!(receive(&mut senders, NOW, &next), NEW, "a forgotten sender is not excluded");
    }
}
