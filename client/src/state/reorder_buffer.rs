//! The publications and notices that a channel received and could not yet deliver. A message that waits for a key, or for
//! the host to decrypt it or to verify its signature, holds back everything behind it, so that the order is kept.

use crate::event::{DecryptionId, Notice, SubscriptionId, VerificationId};
use sealwire_protocol::{
    KeyId, OpenedMessage,
    wire::{Position, Publication},
};
use std::collections::VecDeque;

const MAX_ENTRIES: usize = 256;
const MAX_BYTES: usize = 1024 * 1024;
/// The limits are this many times as high while a message waits for the verification of its signature. The client has no
/// other way to verify it, and a replay brings many messages at once.
const VERIFICATION_FACTOR: usize = 64;

pub(crate) struct Entry {
    pub(crate) recipients: Vec<SubscriptionId>,
    pub(crate) content: Content,
    /// The bytes that count towards the limits.
    size: usize,
}

pub(crate) enum Content {
    Publication(Publication, Position, Opening),
    Notice(Notice),
}

/// The stage of the opening of a publication.
pub(crate) enum Opening {
    /// The client decrypts it once it has the key.
    Sealed,
    /// The host decrypts it and has not answered yet.
    Decrypting(DecryptionId),
    /// The host verifies its signature and has not answered yet.
    Verifying(VerificationId, Box<OpenedMessage>),
    /// The message is ready for the app. The signature, if there is one, is verified.
    Opened(Box<OpenedMessage>),
    /// The message is not for the app.
    Failed(OpenError),
}

/// The reason why a message is not opened.
#[derive(Clone, Copy)]
pub(crate) enum OpenError {
    /// The channel lacks the key.
    UnknownKey(KeyId),
    /// Only another channel token contains the key, and no function of the app provides one.
    NeedsToken,
    /// The message was not sealed for this channel.
    Unreadable,
    /// The signature does not fit the message.
    FalseSignature,
}

#[derive(Default)]
pub(crate) struct ReorderBuffer {
    entries: VecDeque<Entry>,
    bytes: usize,
}

impl ReorderBuffer {
    pub(crate) fn push(&mut self, entry: Entry) {
        self.bytes += entry.size;
        self.entries.push_back(entry);
    }

    pub(crate) fn push_notice(&mut self, recipients: Vec<SubscriptionId>, notice: Notice) {
        self.push(Entry::new(recipients, Content::Notice(notice)));
    }

    pub(crate) fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.bytes -= entry.size;
        Some(entry)
    }

    /// Puts back the entry that was removed last.
    pub(crate) fn put_back(&mut self, entry: Entry) {
        self.bytes += entry.size;
        self.entries.push_front(entry);
    }

    /// Returns true if the buffer exceeds its limits, so that the front can no longer wait.
    pub(crate) fn is_over_full(&self) -> bool {
        self.exceeds(1)
    }

    /// Returns true if the front can no longer wait for the verification of its signature.
    pub(crate) fn is_over_full_for_verification(&self) -> bool {
        self.exceeds(VERIFICATION_FACTOR)
    }

    fn exceeds(&self, factor: usize) -> bool {
        self.entries.len() > factor * MAX_ENTRIES || self.bytes > factor * MAX_BYTES
    }

    /// Returns the place of the first publication in a wanted stage, the publication and the stage.
    pub(crate) fn find(
        &mut self,
        is_wanted: impl Fn(&Opening) -> bool,
    ) -> Option<(usize, &Publication, &mut Opening)> {
        self.entries.iter_mut().enumerate().find_map(|(place, entry)| match &mut entry.content {
            Content::Publication(publication, _, opening) if is_wanted(opening) => {
                Some((place, &*publication, opening))
            }
            _ => None,
        })
    }

    /// Sets the stage of the publication at a place.
    pub(crate) fn set_opening(&mut self, place: usize, opening: Opening) {
        if let Some(Entry { content: Content::Publication(_, _, current), .. }) = self.entries.get_mut(place)
        {
            *current = opening;
        }
    }
}

impl Entry {
    pub(crate) fn new(recipients: Vec<SubscriptionId>, mut content: Content) -> Self {
        let size = match &mut content {
            Content::Publication(publication, _, opening) => {
                let size = publication.sealed.len() + publication.event.len();
                if let Opening::Verifying(..) | Opening::Opened(..) = opening {
                    publication.sealed.clear();
                }
                size
            }
            Content::Notice(_) => 0,
        };
        Self { recipients, content, size }
    }
}
