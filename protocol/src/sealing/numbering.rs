//! The numbers that a sender gives to its messages on one channel, and those of them that it confirms.

use super::{SenderId, Stamp};

/// The most messages under one sender id. AES-GCM gets a random nonce of 96 bits for each of them under the key of the
/// sender id, so that a repeated nonce stays as improbable as 2⁻⁴⁹.
const MAX_NUMBER: u32 = 1 << 24;

/// The numbers of one sender on one channel.
#[derive(Clone, Debug)]
pub struct Numbering {
    sender: SenderId,
    last: u32,
    /// The bitmap of the next stamp.
    confirmed: u64,
}

impl Numbering {
    /// Begins with a sender id, which must be random.
    #[must_use]
    pub fn new(sender: SenderId) -> Self {
        Self { sender, last: 0, confirmed: 0 }
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

    /// Assigns the next number. Returns the stamp of its message.
    pub fn assign(&mut self) -> Stamp {
        let stamp = Stamp { number: self.last + 1, confirmed: self.confirmed };
        self.last += 1;
        self.confirmed <<= 1;
        stamp
    }

    /// Confirms a message: the relay acknowledged the first attempt to publish it, behind all messages with lower numbers,
    /// and the app did not choose its idempotency id. Later messages name it, so a subscriber that lacks it reports that the
    /// relay left it out. A message of which less is known must not be confirmed: the relay may have accepted it never,
    /// twice, or as the repetition of another one.
    ///
    /// A message that is 64 or more numbers behind the last one is not named any more.
    pub fn confirm(&mut self, number: u32) {
        if let Some(bit) = self.last.checked_sub(number).and_then(|behind| 1_u64.checked_shl(behind)) {
            self.confirmed |= bit;
        }
    }
}
