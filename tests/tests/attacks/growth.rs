//! The growth of a relay's memory during an attack.

use sealwire_tests::RelayProcess;
use std::cell::Cell;

thread_local! {
    static IS_ALONE: Cell<bool> = const { Cell::new(false) };
}

/// Runs an attack beside no other one. Only such an attack may measure memory: that of the others would count.
pub(crate) fn alone<R>(attack: impl FnOnce() -> R) -> R {
    IS_ALONE.set(true);
    let result = attack();
    IS_ALONE.set(false);
    result
}

/// The memory of relays at the beginning of an attack.
pub(crate) struct Growth<'a> {
    before: Vec<(&'a RelayProcess, usize)>,
}

impl<'a> Growth<'a> {
    /// Measures the resident memory of relays. Panics if the attack may run beside others.
    pub(crate) fn of(relays: impl IntoIterator<Item = &'a RelayProcess>) -> Self {
        assert!(IS_ALONE.get(), "only an attack that is `measured` may measure memory");
        Self { before: relays.into_iter().map(|relay| (relay, relay.memory())).collect() }
    }

    /// Panics if a relay now has at least `limit` bytes more.
    pub(crate) fn must_be_below(&self, limit: usize) {
        for (relay, before) in &self.before {
            let grown = relay.memory().saturating_sub(*before);
            assert!(grown < limit, "the relay's memory grew by {grown} bytes, the limit is {limit}");
        }
    }
}
