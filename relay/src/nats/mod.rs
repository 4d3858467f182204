//! Connections to the servers of a NATS cluster. The broker for many relays and the cluster's common limits use them.

mod authentication;
mod connection;

pub(crate) use connection::NatsConnection;
