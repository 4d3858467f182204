//! The ids of messages whose idempotency id the app chose. The same message gets the same ids on every page and after
//! every reload, so that the relay recognises it although its sealed bytes differ.

use crate::{ChannelKey, limits};

/// The values by which the relay recognises a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepeatableIds {
    /// The idempotency id on the wire: equal for the same sender and id.
    pub id: [u8; limits::IDEMPOTENCY_ID],
    /// The digest of the content: equal only if event and payload are equal as well. It needs the channel key, so the
    /// relay cannot test guesses of the payload.
    pub content: [u8; limits::CONTENT],
}

/// Derives the ids of a message.
///
/// `id = derive(channel key, "idempotency-id", sender, id)` and `content = derive(channel key, "idempotency-content",
/// sender, id, event, payload)`, each cut to 16 bytes.
#[must_use]
pub fn repeatable_ids(key: &ChannelKey, sender: &str, id: &str, event: &str, payload: &str) -> RepeatableIds {
    let own = [sender.as_bytes(), id.as_bytes()];
    let wire_id = key.derive(&[b"idempotency-id", own[0], own[1]]);
    let content = [b"idempotency-content", own[0], own[1], event.as_bytes(), payload.as_bytes()];
    RepeatableIds { id: first(&wire_id), content: first(&key.derive(&content)) }
}

fn first<const N: usize>(bytes: &[u8; 32]) -> [u8; N] {
    core::array::from_fn(|index| bytes[index])
}
