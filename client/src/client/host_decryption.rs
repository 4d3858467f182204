//! Large messages that the platform opens: it may be faster at it than this crate, and answers later. A channel's order is
//! kept: what follows such a message waits for it.

use crate::{Client, Event, Now, OpeningId, state::channel::Channel, state::reorder_buffer::Content};
use sealwire_protocol::{AesGcmInput, ChannelId, SealedMessage, wire::Publication};
use zeroize::Zeroizing;

/// How a publication is opened.
#[derive(PartialEq)]
pub(crate) enum Opening {
    /// Here, when its turn comes.
    Here,
    /// The platform was asked.
    Elsewhere(OpeningId),
    /// The platform did, and this is the plaintext.
    Done(Zeroizing<Vec<u8>>),
}

impl Client {
    /// The platform opened a message; `None` where it could not, for whatever reason: then it is tried here, which says
    /// whether the message is at fault.
    pub fn handle_opening(&mut self, now: Now, opening: OpeningId, plaintext: Option<Vec<u8>>) {
        let answer = plaintext.map_or(Opening::Here, |plaintext| Opening::Done(Zeroizing::new(plaintext)));
        let asked = self.channels.iter_mut().find_map(|(id, channel)| {
            let asked = channel.inbox.iter_mut().find_map(|item| match &mut item.content {
                Content::Publication(_, _, state) if *state == Opening::Elsewhere(opening) => Some(state),
                _ => None,
            });
            asked.map(|state| (id, state))
        });
        let Some((id, state)) = asked else { return };
        *state = answer;
        self.deliver(now, id, false);
        self.settle(now);
    }

    /// Asks the platform to open a publication, where that pays.
    pub(crate) fn open_elsewhere(&mut self, id: ChannelId, publication: &Publication) -> Opening {
        if self.config.opens_elsewhere_from.is_none_or(|bytes| publication.sealed.len() < bytes) {
            return Opening::Here;
        }
        let channel = self.channels.get(&id).filter(|channel| !channel.inbox.is_over_full());
        let Some(input) = channel.and_then(|channel| input(channel, id, publication)) else {
            return Opening::Here;
        };
        let opening = OpeningId(self.next_id());
        self.events.push_back(Event::NeedOpening { opening, input });
        Opening::Elsewhere(opening)
    }
}

/// `None` where its key is not there, which may still come.
fn input(channel: &Channel, id: ChannelId, publication: &Publication) -> Option<AesGcmInput> {
    let sealed = SealedMessage::parse(&publication.sealed).ok()?;
    sealed.aes_gcm_input(channel.key(sealed.key_id())?, id, &publication.event)
}
