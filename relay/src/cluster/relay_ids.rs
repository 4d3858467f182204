//! The ids of the relays of a cluster.

use arc_swap::ArcSwap;

/// The relays of a cluster that hear each other.
pub(crate) struct RelayIds {
    /// The random id of this process.
    pub(crate) own: u64,
    /// The ids of the other relays that are present, sorted.
    pub(crate) others: ArcSwap<Vec<u64>>,
}
