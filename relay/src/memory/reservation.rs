//! The memory that one holder holds, of one kind: counted until the value is dropped.

use super::{Kind, Memory};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Reservation {
    memory: Arc<Memory>,
    kind: Kind,
    bytes: usize,
    /// The holder was ended, and is about to give the bytes back.
    is_leaving: bool,
}

impl Reservation {
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

    /// Holds so many bytes from now on. False if that is more than before and there is no memory for more.
    pub(crate) fn set(&mut self, bytes: usize) -> bool {
        let grows = bytes > self.bytes;
        self.memory.change(self.kind, self.bytes, bytes);
        if self.is_leaving {
            self.memory.change_leaving(self.bytes, bytes);
        }
        self.bytes = bytes;
        let is_full = match self.kind {
            Kind::Guests => self.memory.is_full_of_guests(),
            // Bodies wait for publishing in any case.
            Kind::Requests => self.memory.is_full(),
            _ => self.memory.is_at_limit(),
        };
        !grows || !is_full
    }

    /// Holds the same bytes as another kind.
    pub(crate) fn set_kind(&mut self, kind: Kind) {
        if self.kind != kind {
            self.memory.change(self.kind, self.bytes, 0);
            self.memory.change(kind, 0, self.bytes);
            self.kind = kind;
        }
    }

    /// Counts the bytes as good as given back: the holder is about to end.
    pub(crate) fn leave(&mut self) {
        if !self.is_leaving {
            self.is_leaving = true;
            self.memory.change_leaving(0, self.bytes);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.is_leaving {
            self.memory.change_leaving(self.bytes, 0);
        }
        self.memory.change(self.kind, self.bytes, 0);
    }
}
