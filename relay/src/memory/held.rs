//! What one holder holds: counted until it is dropped.

use super::Memory;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Held {
    memory: Arc<Memory>,
    bytes: usize,
}

impl Held {
    /// Holds so many bytes.
    pub(crate) fn new(memory: Arc<Memory>, bytes: usize) -> Self {
        memory.change(0, bytes);
        Self { memory, bytes }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Holds so many bytes now. False where that is more than before, and there is no memory for more.
    pub(crate) fn set(&mut self, bytes: usize) -> bool {
        let grows = bytes > self.bytes;
        self.memory.change(self.bytes, bytes);
        self.bytes = bytes;
        !grows || !self.memory.is_full()
    }

    /// Whether there is no memory for more.
    pub(crate) fn is_full(&self) -> bool {
        self.memory.is_full()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.change(self.bytes, 0);
    }
}
