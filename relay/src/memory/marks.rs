//! The marks of a memory budget, in sixteenths of it, and the number of connections for which a budget has room.

/// The share that the replay cache keeps even if memory is short.
pub(super) const CACHE_FLOOR: usize = 2;
/// The share of unauthenticated connections at their admission, so that they leave room for the others.
pub(super) const UNAUTHENTICATED: usize = 3;
/// The share of unauthenticated connections with their growth after the admission.
pub(super) const UNAUTHENTICATED_GROWN: usize = 4;
/// The mark above which a session with subscriptions of more than [`LARGE_SESSION`] bytes gets no further subscription,
/// so that a few clients do not use the memory of many.
pub(super) const LARGE_SESSION_MARK: usize = 8;
/// The bytes above which a session counts as large.
pub(super) const LARGE_SESSION: usize = 8 * 1024;
/// The mark down to which the relay sheds after it has refused newcomers.
pub(super) const SHED_TO_FOR_NEWCOMERS: usize = 9;
/// The mark above which the replay cache makes room for newcomers, or they are refused. The relay sheds down to it.
pub(super) const SHED_TO: usize = 10;
/// The mark above which the relay sheds.
pub(super) const SHED_ABOVE: usize = 11;
/// The mark above which publishers wait.
pub(super) const FULL: usize = 12;
/// The mark above which nothing may grow. The rest of the budget is for the program itself and the allocator's
/// overhead.
pub(super) const LIMIT: usize = 13;

/// The accounted bytes of an idle connection with one session and one subscription, with one subscriber per channel.
const IDLE_CONNECTION: usize = 2560;

/// Returns the number of idle connections that fit into a budget, with `tls_bytes` for each TLS session.
pub(crate) fn idle_connections(budget: usize, tls_bytes: usize) -> usize {
    budget / 16 * SHED_TO / (IDLE_CONNECTION + tls_bytes)
}

/// Returns the smallest budget with room for this number of connections.
pub(crate) fn budget_for(connections: usize, tls_bytes: usize) -> usize {
    connections.saturating_mul(IDLE_CONNECTION + tls_bytes).div_ceil(SHED_TO).saturating_mul(16)
}
