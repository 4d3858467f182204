//! The load generator: one thread, one epoll, no allocation per message.

pub(crate) mod dialect;
mod fleet;
pub(crate) mod frames;
pub(crate) mod latency;
pub(crate) mod payload;
pub(crate) mod sealwire;
mod traffic;

pub(crate) use fleet::{Fleet, Role};
pub(crate) use traffic::{Flow, Traffic};
