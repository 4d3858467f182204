//! Seeded schedules of a cluster: clients, two relays with the followers of two streams, and a simulated JetStream that
//! elects leaders, loses republications with them, lags behind, and loses its contents.
//!
//! The relays' rules, subscribers and followers are the real ones. The driver between follower and servers is simulated,
//! because the real one does I/O.

mod broker;
mod calls;
mod clients;
mod conditions;
mod driver;
mod elections;
mod events;
mod faults;
mod model;
mod publish;
mod relay;
mod replica;
pub(crate) mod schedule;
mod servers;
mod sessions;
mod stream;
mod wires;
mod world;
