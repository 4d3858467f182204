//! The numbers of one page or process, by channel.

use super::{Numbering, SenderId, Stamp};
use crate::ChannelId;
use alloc::vec::Vec;

/// The most channels whose numbers are remembered. A forgotten channel gets a new sender id, so its earlier messages are
/// not named any more.
const MAX_CHANNELS: usize = 256;

/// The numbers of the publications of one page or process, from the oldest channel to the newest.
#[derive(Debug, Default)]
pub struct Numberings(Vec<(ChannelId, Numbering)>);

/// The sender and the stamp of a publication.
#[derive(Clone, Copy, Debug)]
pub struct Numbered {
    /// The sender id of the page or process on the channel.
    pub sender: SenderId,
    /// The stamp.
    pub stamp: Stamp,
}

impl Numberings {
    /// Assigns the next number of a channel. `new_sender` returns a random sender id, for a channel that needs one.
    pub fn assign(&mut self, channel: ChannelId, new_sender: impl FnOnce() -> SenderId) -> Numbered {
        let is_usable = |(other, numbering): &(_, Numbering)| *other == channel && !numbering.is_exhausted();
        let index = self.0.iter().position(is_usable).unwrap_or_else(|| {
            if self.0.len() >= MAX_CHANNELS {
                self.0.remove(0);
            }
            self.0.push((channel, Numbering::new(new_sender())));
            self.0.len() - 1
        });
        let numbering = &mut self.0[index].1;
        Numbered { sender: numbering.sender(), stamp: numbering.assign() }
    }

    /// Confirms a publication, as [`Numbering::confirm`] does.
    pub fn confirm(&mut self, numbered: Numbered) {
        let Numbered { sender, stamp } = numbered;
        if let Some((_, numbering)) = self.0.iter_mut().find(|(_, numbering)| numbering.sender() == sender) {
            numbering.confirm(stamp.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(number: usize) -> ChannelId {
        ChannelId(core::array::from_fn(|index| number.to_be_bytes().get(index).copied().unwrap_or(0)))
    }

    fn sender(byte: u8) -> impl FnOnce() -> SenderId {
        move || SenderId([byte; 12])
    }

    #[test]
    fn each_channel_has_its_own_sender_id_and_numbers() {
        let mut numberings = Numberings::default();
        let first = numberings.assign(channel(1), sender(1));
        let second = numberings.assign(channel(1), || panic!("the channel has a sender id"));
        let other = numberings.assign(channel(2), sender(3));
        assert_eq!((second.sender, second.stamp.number), (SenderId([1; 12]), 2));
        assert_eq!((other.sender, other.stamp.number), (SenderId([3; 12]), 1));
        numberings.confirm(first);
        assert_eq!(numberings.assign(channel(1), sender(4)).stamp, Stamp { number: 3, confirmed: 0b10 });
        assert_eq!(numberings.assign(channel(2), sender(4)).stamp, Stamp { number: 2, confirmed: 0 });
    }

    #[test]
    fn the_oldest_channel_is_forgotten_and_a_late_answer_does_not_confirm_for_its_next_sender() {
        let mut numberings = Numberings::default();
        let forgotten = numberings.assign(channel(0), sender(0));
        for number in 1..=MAX_CHANNELS {
            numberings.assign(channel(number), sender(1));
        }
        assert_eq!(numberings.assign(channel(1), sender(9)).sender, SenderId([1; 12]));
        let again = numberings.assign(channel(0), sender(2));
        assert_eq!((again.sender, again.stamp.number), (SenderId([2; 12]), 1));
        numberings.confirm(forgotten);
        assert_eq!(numberings.assign(channel(0), sender(9)).stamp, Stamp { number: 2, confirmed: 0 });
    }

    #[test]
    fn a_channel_whose_numbers_are_used_up_gets_a_new_sender_id() {
        let mut numberings = Numberings::default();
        let first = numberings.assign(channel(1), sender(1));
        while !numberings.0[0].1.is_exhausted() {
            numberings.0[0].1.assign();
        }
        let next = numberings.assign(channel(1), sender(2));
        assert_eq!((next.sender, next.stamp.number), (SenderId([2; 12]), 1));
        numberings.confirm(first);
        assert_eq!(numberings.assign(channel(1), sender(3)).stamp, Stamp { number: 2, confirmed: 0 });
    }
}
