//! The numbers that a sender gives to its messages on one channel, and their outcomes.

use super::{SenderId, Stamp};
use alloc::vec::Vec;

/// The most messages under one sender id. AES-GCM gets a random nonce of 96 bits for each of them under the key of the
/// sender id, so that a repeated nonce stays as improbable as 2⁻⁴⁹.
const MAX_NUMBER: u32 = 1 << 24;

/// The numbers of one sender on one channel.
#[derive(Clone, Debug)]
pub struct Numbering {
    sender: SenderId,
    last: u32,
    settled: u32,
    confirmed: u64,
    /// The outcomes of the numbers after `settled`, in order. `None` means that the outcome is not known yet.
    outcomes: Vec<Option<Outcome>>,
}

/// The outcome of a publication, as its sender knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The relay acknowledged the first attempt to publish the message, behind all messages with lower numbers. The app did
    /// not choose its idempotency id.
    Confirmed,
    /// Any other outcome. The relay may have accepted the message never, twice, or as the repetition of another message, so
    /// a subscriber that lacks it cannot know that the relay left it out.
    Unconfirmed,
}

impl Numbering {
    /// Begins with a sender id, which must be random.
    #[must_use]
    pub fn new(sender: SenderId) -> Self {
        Self { sender, last: 0, settled: 0, confirmed: 0, outcomes: Vec::new() }
    }

    /// Returns the sender id.
    #[must_use]
    pub fn sender(&self) -> SenderId {
        self.sender
    }

    /// Returns true if the sender id has no number left. The sender then needs a new one.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.last >= MAX_NUMBER
    }

    /// Returns true if the outcome of every number is known.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.outcomes.is_empty()
    }

    /// Assigns the next number. Returns the stamp of its message.
    pub fn assign(&mut self) -> Stamp {
        self.last += 1;
        self.outcomes.push(None);
        Stamp { number: self.last, settled: self.settled, confirmed: self.confirmed }
    }

    /// Records the outcome of a number. A number that was not assigned, or that is settled, changes nothing.
    pub fn settle(&mut self, number: u32, outcome: Outcome) {
        let index = number.checked_sub(self.settled + 1).and_then(|index| usize::try_from(index).ok());
        if let Some(slot) = index.and_then(|index| self.outcomes.get_mut(index)) {
            *slot = Some(outcome);
        }
        while let Some(Some(outcome)) = self.outcomes.first() {
            self.confirmed = self.confirmed << 1 | u64::from(*outcome == Outcome::Confirmed);
            self.settled += 1;
            self.outcomes.remove(0);
        }
    }
}
