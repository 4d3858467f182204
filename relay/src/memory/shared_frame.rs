//! Frames that are accounted until their last clone is dropped.

use super::Memory;
use bytes::Bytes;
use std::sync::{Arc, atomic::Ordering};

/// The bytes of a publication besides its frame.
const PUBLICATION: usize = 160;

struct Counted {
    frame: Bytes,
    memory: Arc<Memory>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.frame
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.memory.frames.fetch_sub(self.frame.len() + PUBLICATION, Ordering::Relaxed);
    }
}

impl Memory {
    /// Accounts a publication's frame until its last clone is dropped.
    pub(crate) fn count(self: &Arc<Self>, frame: Bytes) -> Bytes {
        self.frames.fetch_add(frame.len() + PUBLICATION, Ordering::Relaxed);
        self.check();
        Bytes::from_owner(Counted { frame, memory: self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_accounted_once_until_its_last_clone_is_dropped() {
        let memory = Arc::new(Memory::default());
        let frame = memory.count(vec![7; 1000].into());
        let copies: Vec<Bytes> = (0..100).map(|start| frame.slice(start..)).collect();
        assert_eq!(memory.usage().frames, 1000 + PUBLICATION);
        assert_eq!(frame[..], [7; 1000]);
        drop(frame);
        assert_eq!(memory.usage().total(), 1000 + PUBLICATION);
        drop(copies);
        assert_eq!(memory.usage().total(), 0);
    }
}
