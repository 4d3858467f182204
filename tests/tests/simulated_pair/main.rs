//! Runs the client core against the relay's session rules and hub in one thread, under a virtual clock, with simulated
//! latency, network cuts and restarts.
#![allow(clippy::unwrap_used, reason = "tests")]

mod clients;
mod cluster;
mod relay;
mod schedules;
mod soak;
mod stories;
mod world;
