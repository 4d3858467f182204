//! The numbers of the client's own publications, by channel.

use crate::{Entropy, entropy::array, state::vec_map::VecMap};
use sealwire_protocol::{ChannelId, Numbering, Outcome, SenderId, Stamp};

/// The most channels whose numbers the client remembers. A forgotten channel gets a new sender id.
const MAX_CHANNELS: usize = 256;

#[derive(Default)]
pub(crate) struct Numberings(VecMap<ChannelId, Numbering>);

/// A publication among those of its sender.
#[derive(Clone, Copy)]
pub(crate) struct Numbered {
    channel: ChannelId,
    pub(crate) sender: SenderId,
    pub(crate) stamp: Stamp,
}

impl Numberings {
    /// Assigns the next number of a channel.
    pub(crate) fn next(&mut self, channel: ChannelId, entropy: &mut dyn Entropy) -> Numbered {
        if self.0.get(&channel).is_some_and(Numbering::is_exhausted) {
            self.0.remove(&channel);
        }
        if self.0.len() >= MAX_CHANNELS && !self.0.contains(&channel) {
            self.0.retain(|_, numbering| !numbering.is_settled());
        }
        let numbering = self.0.entry(channel, || Numbering::new(SenderId(array(entropy))));
        Numbered { channel, sender: numbering.sender(), stamp: numbering.next() }
    }

    /// Records the outcome of a publication.
    pub(crate) fn settle(&mut self, numbered: Numbered, outcome: Outcome) {
        let numbering = self.0.get_mut(&numbered.channel);
        if let Some(numbering) = numbering.filter(|numbering| numbering.sender() == numbered.sender) {
            numbering.settle(numbered.stamp.number, outcome);
        }
    }
}
