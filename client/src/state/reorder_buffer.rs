//! The publications and notices that a channel received and could not yet deliver. A message that waits for a key, for the
//! time, or for the host to decrypt it, holds back everything behind it, so that the order is kept.

use crate::event::{DecryptionId, Notice, SubscriptionId};
use sealwire_protocol::{
    OpenedMessage,
    wire::{Position, Publication},
};
use std::collections::VecDeque;

const MAX_ENTRIES: usize = 256;
const MAX_BYTES: usize = 1024 * 1024;

pub(crate) struct Entry {
    pub(crate) recipients: Vec<SubscriptionId>,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    Publication(Publication, Position, Decryption),
    Notice(Notice),
}

/// The decryption of a publication.
#[derive(PartialEq)]
pub(crate) enum Decryption {
    /// The client decrypts it on delivery.
    Local,
    /// The host decrypts it and has not answered yet.
    Requested(DecryptionId),
    /// The message is decrypted. It may still wait for the time.
    Done(Box<OpenedMessage>),
}

#[derive(Default)]
pub(crate) struct ReorderBuffer {
    entries: VecDeque<Entry>,
    bytes: usize,
}

impl ReorderBuffer {
    pub(crate) fn push(&mut self, entry: Entry) {
        self.bytes += entry.size();
        self.entries.push_back(entry);
    }

    pub(crate) fn push_notice(&mut self, recipients: Vec<SubscriptionId>, notice: Notice) {
        self.push(Entry { recipients, content: Content::Notice(notice) });
    }

    pub(crate) fn front_mut(&mut self) -> Option<&mut Entry> {
        self.entries.front_mut()
    }

    pub(crate) fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.bytes -= entry.size();
        Some(entry)
    }

    /// Returns true if the buffer exceeds its limits, so that the front can no longer wait.
    pub(crate) fn is_over_full(&self) -> bool {
        self.entries.len() > MAX_ENTRIES || self.bytes > MAX_BYTES
    }

    /// Returns the publication whose decryption `id` names, and the state of that decryption.
    pub(crate) fn find_requested(&mut self, id: DecryptionId) -> Option<(&Publication, &mut Decryption)> {
        self.entries.iter_mut().find_map(|entry| match &mut entry.content {
            Content::Publication(publication, _, state) if *state == Decryption::Requested(id) => {
                Some((&*publication, state))
            }
            _ => None,
        })
    }
}

impl Entry {
    fn size(&self) -> usize {
        match &self.content {
            Content::Publication(publication, ..) => publication.sealed.len() + publication.event.len(),
            Content::Notice(_) => 0,
        }
    }
}
