//! The load generator: thousands of connections on one thread with one epoll instance.

mod connection;
pub(crate) mod dialect;
mod fleet;
mod join;
pub(crate) mod latency;
pub(crate) mod payload;
mod roles;
pub(crate) mod sealwire;
mod stream;
pub(crate) mod tls;
mod traffic;
pub(crate) mod websocket;

pub(crate) use fleet::Fleet;
pub(crate) use join::join;
pub(crate) use roles::Role;
pub(crate) use traffic::{Flow, Traffic};
