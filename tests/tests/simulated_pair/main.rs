//! The client core against the relay's own rules, without a network: one virtual clock, latency, cuts, restarts.
#![allow(clippy::unwrap_used, reason = "tests")]

mod clients;
mod relay;
mod schedules;
mod soak;
mod stories;
mod world;
