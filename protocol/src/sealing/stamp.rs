//! The stamp of a message: its sender, its number among the messages of that sender on its channel, and the earlier ones
//! that the relay acknowledged. With it, a receiver notices a message that the relay delivers twice or leaves out.

use super::Unreadable;

/// The number of earlier messages that a stamp says something about.
pub const CONFIRMED_NUMBERS: u32 = u64::BITS;

/// The random id of a sender: one page or one process on one channel. It is the first half of the nonce, so a message
/// under another id does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SenderId(pub [u8; SenderId::LEN]);

impl SenderId {
    /// The length in bytes.
    pub const LEN: usize = 12;
}

/// The place of a message among the messages of its sender on its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The number of the message, from 1. A retry keeps its number.
    pub number: u32,
    /// The number up to which the sender knew the outcome of every message when it sealed this one; less than
    /// [`Self::number`].
    pub settled: u32,
    /// Bit `i` says that the relay acknowledged the first attempt to publish the message with the number `settled - i`.
    pub confirmed: u64,
}

impl Stamp {
    /// The length in bytes: `u32 number ‖ u16 number - 1 - settled ‖ u64 confirmed`, big-endian.
    pub const LEN: usize = 4 + 2 + 8;

    pub(super) fn to_bytes(self) -> [u8; Self::LEN] {
        // A sender with so many messages under way says nothing about the settled ones.
        let (behind, confirmed) = match u16::try_from(self.number - 1 - self.settled) {
            Ok(behind) => (behind, self.confirmed),
            Err(_) => (u16::MAX, 0),
        };
        let mut bytes = [0; Self::LEN];
        bytes[..4].copy_from_slice(&self.number.to_be_bytes());
        bytes[4..6].copy_from_slice(&behind.to_be_bytes());
        bytes[6..].copy_from_slice(&confirmed.to_be_bytes());
        bytes
    }

    pub(super) fn read(bytes: &[u8; Self::LEN]) -> Result<Self, Unreadable> {
        let (number, rest) = bytes.split_first_chunk().ok_or(Unreadable)?;
        let (behind, rest) = rest.split_first_chunk().ok_or(Unreadable)?;
        let confirmed = rest.try_into().map_err(|_| Unreadable)?;
        let number = u32::from_be_bytes(*number);
        let before = number.checked_sub(1).ok_or(Unreadable)?;
        let settled = before.checked_sub(u16::from_be_bytes(*behind).into()).ok_or(Unreadable)?;
        Ok(Self { number, settled, confirmed: u64::from_be_bytes(confirmed) })
    }
}
