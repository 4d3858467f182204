//! The stamp of a message: its sender, its number among the messages of that sender on its channel, and the earlier ones
//! that the relay acknowledged. With it, a receiver notices a message that the relay delivers twice or leaves out.

use super::Unreadable;

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
    /// Bit `i` says that the sender confirms the message `number - 1 - i`: see
    /// [`Numbering::confirm`](super::Numbering::confirm).
    pub confirmed: u64,
}

impl Stamp {
    /// The length in bytes: `u32 number ‖ u64 confirmed`, big-endian.
    pub const LEN: usize = 4 + 8;

    /// Returns the numbers of the earlier messages that the sender confirms, from the highest to the lowest.
    pub fn confirmed_numbers(self) -> impl Iterator<Item = u32> {
        (0..u64::BITS)
            .filter(move |bit| self.confirmed >> bit & 1 == 1)
            .map_while(move |bit| self.number.checked_sub(1 + bit).filter(|number| *number > 0))
    }

    pub(super) fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..4].copy_from_slice(&self.number.to_be_bytes());
        bytes[4..].copy_from_slice(&self.confirmed.to_be_bytes());
        bytes
    }

    pub(super) fn read(bytes: &[u8; Self::LEN]) -> Result<Self, Unreadable> {
        let (number, rest) = bytes.split_first_chunk().ok_or(Unreadable)?;
        let (confirmed, _) = rest.split_first_chunk().ok_or(Unreadable)?;
        let (number, confirmed) = (u32::from_be_bytes(*number), u64::from_be_bytes(*confirmed));
        if number == 0 { Err(Unreadable) } else { Ok(Self { number, confirmed }) }
    }
}
