//! What a channel received and could not yet hand on: a message whose key is unknown, or that is being opened elsewhere,
//! and everything behind it, so that order is kept.

use crate::{
    client::host_decryption::Opening,
    event::{Notice, SubscriptionId},
};
use sealwire_protocol::wire::{Position, Publication};
use std::collections::VecDeque;

const MAX_ITEMS: usize = 256;
const MAX_BYTES: usize = 1024 * 1024;

pub(crate) struct Item {
    pub(crate) recipients: Vec<SubscriptionId>,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    Publication(Publication, Position, Opening),
    Notice(Notice),
}

#[derive(Default)]
pub(crate) struct Inbox {
    items: VecDeque<Item>,
    bytes: usize,
}

impl Inbox {
    pub(crate) fn push(&mut self, item: Item) {
        self.bytes += item.size();
        self.items.push_back(item);
    }

    pub(crate) fn front(&self) -> Option<&Item> {
        self.items.front()
    }

    pub(crate) fn pop(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        self.bytes -= item.size();
        Some(item)
    }

    /// Too much is held: the front cannot be waited for.
    pub(crate) fn is_over_full(&self) -> bool {
        self.items.len() > MAX_ITEMS || self.bytes > MAX_BYTES
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Item> {
        self.items.iter_mut()
    }
}

impl Item {
    fn size(&self) -> usize {
        match &self.content {
            Content::Publication(publication, ..) => publication.sealed.len() + publication.event.len(),
            Content::Notice(_) => 0,
        }
    }
}
