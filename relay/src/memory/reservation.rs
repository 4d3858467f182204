//! A reservation of memory of one kind, which is released when it is dropped.

use super::{Memory, MemoryKind};
use std::sync::Arc;

/// A number of reserved bytes.
#[derive(Debug)]
pub(crate) struct Reservation {
    memory: Arc<Memory>,
    kind: MemoryKind,
    bytes: usize,
    /// True if the holder is ending and about to release the bytes.
    is_closing: bool,
}

impl Reservation {
    /// Reserves `bytes`, even if memory is short.
    pub(crate) fn new(memory: Arc<Memory>, kind: MemoryKind, bytes: usize) -> Self {
        memory.change(kind, 0, bytes);
        Self { memory, kind, bytes, is_closing: false }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn kind(&self) -> MemoryKind {
        self.kind
    }

    /// Changes the number of bytes. Returns false if it grew and there is no memory for it.
    pub(crate) fn set(&mut self, bytes: usize) -> bool {
        let grows = bytes > self.bytes;
        self.memory.change(self.kind, self.bytes, bytes);
        if self.is_closing {
            self.memory.change_closing(self.bytes, bytes);
        }
        self.bytes = bytes;
        let is_full = match self.kind {
            MemoryKind::Unauthenticated => self.memory.is_full_of_unauthenticated(),
            // Request bodies are read for publishing, which waits at this mark.
            MemoryKind::Requests => self.memory.is_full(),
            _ => self.memory.is_at_limit(),
        };
        !grows || !is_full
    }

    /// Changes the kind of the bytes.
    pub(crate) fn set_kind(&mut self, kind: MemoryKind) {
        if self.kind != kind {
            self.memory.change(self.kind, self.bytes, 0);
            self.memory.change(kind, 0, self.bytes);
            self.kind = kind;
        }
    }

    /// Accounts the bytes as about to be released, because the holder is ending.
    pub(crate) fn mark_closing(&mut self) {
        if !self.is_closing {
            self.is_closing = true;
            self.memory.change_closing(0, self.bytes);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.is_closing {
            self.memory.change_closing(self.bytes, 0);
        }
        self.memory.change(self.kind, self.bytes, 0);
    }
}
