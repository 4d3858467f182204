//! The messages of a run, as publishers and subscribers together know them.

use crate::chaos::history::{History, Outcome, Place, Seen};
use std::collections::{HashMap, HashSet};

/// The positions of all messages.
pub(super) struct Index {
    /// The messages of each channel.
    pub(super) messages: Vec<Vec<usize>>,
    /// The positions of messages: as acknowledged, or else as anybody received them.
    pub(super) places: HashMap<usize, Place>,
    /// The messages of each channel without a known position.
    pub(super) unknown: Vec<Vec<usize>>,
    /// The epochs in which two messages had the same offset.
    pub(super) reused: HashSet<u64>,
}

impl Index {
    pub(super) fn new(history: &History) -> Self {
        let mut received = HashMap::new();
        let mut owners: HashMap<Place, usize> = HashMap::new();
        let mut reused = HashSet::new();
        let mut own = |place: Place, message: usize| {
            if *owners.entry(place).or_insert(message) != message {
                reused.insert(place.epoch);
            }
        };
        for (_, seen) in history.subscriptions.iter().flat_map(|subscription| &subscription.events) {
            if let Seen::Message { message, place } = seen {
                own(*place, *message);
                received.entry(*message).or_insert(*place);
            }
        }
        let channels = history.channels.len();
        let mut index = Self {
            messages: vec![Vec::new(); channels],
            places: received,
            unknown: vec![Vec::new(); channels],
            reused: HashSet::new(),
        };
        for (message, publication) in history.publications.iter().enumerate() {
            if let Outcome::Acknowledged { place, .. } = publication.outcome {
                own(place, message);
                index.places.insert(message, place);
            }
            index.messages[publication.channel].push(message);
            if !index.places.contains_key(&message) {
                index.unknown[publication.channel].push(message);
            }
        }
        index.reused = reused;
        index
    }
}
