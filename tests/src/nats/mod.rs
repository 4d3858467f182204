//! Real NATS servers on loopback: a single one, or a cluster of three whose members can be killed, stopped and separated.

mod certificates;
mod cluster;
mod config;
mod monitor;
mod options;
mod ports;
mod questions;
mod server;
#[cfg(test)]
mod tests;

pub use certificates::Certificates;
pub use cluster::NatsCluster;
pub use options::{NatsOptions, NatsUser};
