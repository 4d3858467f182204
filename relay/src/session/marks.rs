//! The marks that every `Ping` to a client carries: the positions up to which everything was queued for the clients. A
//! broker with a common history for several relays sets them; the embedded broker has none.

use arc_swap::ArcSwap;
use sealwire_protocol::{limits::MAX_MARKS, wire::Position};
use std::sync::Arc;

/// The current marks of the relay, one for each epoch. The default is no marks.
#[derive(Debug, Default)]
pub struct Marks {
    current: ArcSwap<Vec<Position>>,
}

impl Marks {
    /// Replaces the marks. The caller has queued every publication up to a mark for all its subscribers, and every
    /// subscription that begins from now on has the earlier publications in its replay. Marks beyond
    /// [`MAX_MARKS`], which clients would refuse, are dropped.
    pub fn set(&self, mut marks: Vec<Position>) {
        marks.truncate(MAX_MARKS);
        self.current.store(Arc::new(marks));
    }

    /// Returns the marks.
    #[must_use]
    pub fn current(&self) -> Arc<Vec<Position>> {
        self.current.load_full()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use sealwire_protocol::wire::{Ping, ToClient};

    #[test]
    fn more_marks_than_a_client_accepts_are_dropped() {
        let marks = Marks::default();
        assert!(marks.current().is_empty());
        let many = (0..MAX_MARKS as u64 + 1).map(|epoch| Position { epoch, offset: 1, time_ms: 2 });
        marks.set(many.clone().collect());
        assert_eq!(*marks.current(), many.take(MAX_MARKS).collect::<Vec<_>>());
        let ping = ToClient::Ping(Ping { marks: marks.current().to_vec() });
        assert_eq!(ToClient::from_bytes(Bytes::from(ping.to_bytes())), Ok(ping));
    }
}
