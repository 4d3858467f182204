//! The marks in a budget, in sixteenths of it, and the number of connections for which a budget has room.

/// The replay cache keeps this share however short memory is.
pub(super) const CACHE_FLOOR: usize = 2;
/// The share of connections that have not shown a token: strangers leave room for the rest.
pub(super) const GUESTS: usize = 3;
/// The same share with the growth of these connections after their admission.
pub(super) const GUESTS_FULL: usize = 4;
/// Above this mark, a session whose subscriptions take more than [`MUCH`] gets no more of them: a few clients do not take
/// the memory of many.
pub(super) const MUCH_BELOW: usize = 8;
pub(super) const MUCH: usize = 8 * 1024;
/// The relay sheds down to this mark after it has refused newcomers.
pub(super) const SHED_TO_FOR_NEWCOMERS: usize = 9;
/// Above this mark the replay cache makes room for newcomers, or they are refused. The relay sheds down to it.
pub(super) const SHED_TO: usize = 10;
/// Above this mark the relay sheds.
pub(super) const SHED_ABOVE: usize = 11;
/// Above this mark publishers wait.
pub(super) const FULL: usize = 12;
/// Above this mark nothing grows. The rest of the budget is for the program itself and for the allocator's losses.
pub(super) const LIMIT: usize = 13;

/// Bytes that are counted of an idle connection with one session and one subscription to a channel of its own.
const IDLE: usize = 2560;

/// The number of idle connections for which a budget has room, each of which takes `session` bytes more for TLS.
pub(crate) fn idle_connections(budget: usize, session: usize) -> usize {
    budget / 16 * SHED_TO / (IDLE + session)
}

/// The smallest budget with room for so many connections.
pub(crate) fn budget_for(connections: usize, session: usize) -> usize {
    connections.saturating_mul(IDLE + session).div_ceil(SHED_TO).saturating_mul(16)
}
