//! The numbers of one page or process, by channel.

use super::{Numbering, Outcome, SenderId, Stamp};
use crate::ChannelId;
use alloc::vec::Vec;

/// The most channels whose numbers are remembered, apart from those with a publication under way. A forgotten channel gets a
/// new sender id.
const MAX_CHANNELS: usize = 256;

/// The numbers of the publications of one page or process.
#[derive(Debug, Default)]
pub struct Numberings(Vec<(ChannelId, Numbering)>);

/// A publication with its sender and its number.
#[derive(Clone, Copy, Debug)]
pub struct Numbered {
    channel: ChannelId,
    /// The sender id of the page or process on the channel.
    pub sender: SenderId,
    /// The stamp.
    pub stamp: Stamp,
}

impl Numberings {
    /// Assigns the next number of a channel. `sender` is used as the sender id if the channel needs a new one, so it must be
    /// random.
    pub fn assign(&mut self, channel: ChannelId, sender: SenderId) -> Numbered {
        let index = self.0.iter().position(|(other, _)| *other == channel).unwrap_or_else(|| {
            let settled = self.0.iter().position(|(_, numbering)| numbering.is_settled());
            if let Some(settled) = settled.filter(|_| self.0.len() >= MAX_CHANNELS) {
                self.0.swap_remove(settled);
            }
            self.0.push((channel, Numbering::new(sender)));
            self.0.len() - 1
        });
        let numbering = &mut self.0[index].1;
        if numbering.is_exhausted() {
            *numbering = Numbering::new(sender);
        }
        Numbered { channel, sender: numbering.sender(), stamp: numbering.assign() }
    }

    /// Records the outcome of a publication.
    pub fn settle(&mut self, numbered: Numbered, outcome: Outcome) {
        let Numbered { channel, sender, stamp } = numbered;
        let is_of = |(other, numbering): &&mut (ChannelId, Numbering)| {
            *other == channel && numbering.sender() == sender
        };
        if let Some((_, numbering)) = self.0.iter_mut().find(is_of) {
            numbering.settle(stamp.number, outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(number: usize) -> ChannelId {
        ChannelId(core::array::from_fn(|index| number.to_be_bytes().get(index).copied().unwrap_or(0)))
    }

    #[test]
    fn each_channel_has_its_own_sender_id_and_numbers() {
        let mut numberings = Numberings::default();
        let first = numberings.assign(channel(1), SenderId([1; 12]));
        let second = numberings.assign(channel(1), SenderId([2; 12]));
        let other = numberings.assign(channel(2), SenderId([3; 12]));
        assert_eq!((second.sender, second.stamp.number), (SenderId([1; 12]), 2));
        assert_eq!((other.sender, other.stamp.number), (SenderId([3; 12]), 1));
        numberings.settle(first, Outcome::Confirmed);
        let third = numberings.assign(channel(1), SenderId([4; 12]));
        assert_eq!((third.stamp.settled, third.stamp.confirmed), (1, 1));
    }

    #[test]
    fn channels_are_forgotten_unless_a_publication_is_under_way() {
        let mut numberings = Numberings::default();
        let under_way = numberings.assign(channel(0), SenderId([0; 12]));
        for number in 1..=MAX_CHANNELS {
            let numbered = numberings.assign(channel(number), SenderId([1; 12]));
            numberings.settle(numbered, Outcome::Confirmed);
        }
        assert_eq!(numberings.assign(channel(1), SenderId([2; 12])).sender, SenderId([2; 12]));
        numberings.settle(under_way, Outcome::Confirmed);
        let kept = numberings.assign(channel(0), SenderId([2; 12]));
        assert_eq!((kept.sender, kept.stamp.settled), (SenderId([0; 12]), 1));
    }
}
