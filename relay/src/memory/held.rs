//! What one holder holds: counted until it is dropped.

use super::{Kind, Memory};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Held {
    memory: Arc<Memory>,
    kind: Kind,
    bytes: usize,
    /// The holder was ended to give this back.
    is_leaving: bool,
}

impl Held {
    /// Holds so many bytes.
    pub(crate) fn new(memory: Arc<Memory>, kind: Kind, bytes: usize) -> Self {
        memory.change(kind, 0, bytes);
        Self { memory, kind, bytes, is_leaving: false }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Holds so many bytes now. False where that is more than before, and there is no memory for more.
    pub(crate) fn set(&mut self, bytes: usize) -> bool {
        let grows = bytes > self.bytes;
        self.memory.change(self.kind, self.bytes, bytes);
        if self.is_leaving {
            self.memory.change_leaving(self.bytes, bytes);
        }
        self.bytes = bytes;
        let is_full = match self.kind {
            Kind::Guests => self.memory.is_full_of_guests(),
            _ => self.memory.is_at_limit(),
        };
        !grows || !is_full
    }

    /// Holds the same for something else.
    pub(crate) fn set_kind(&mut self, kind: Kind) {
        if self.kind != kind {
            self.memory.change(self.kind, self.bytes, 0);
            self.memory.change(kind, 0, self.bytes);
            self.kind = kind;
        }
    }

    /// The holder is about to end: what it holds is as good as given back.
    pub(crate) fn leave(&mut self) {
        if !self.is_leaving {
            self.is_leaving = true;
            self.memory.change_leaving(0, self.bytes);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.is_leaving {
            self.memory.change_leaving(self.bytes, 0);
        }
        self.memory.change(self.kind, self.bytes, 0);
    }
}
