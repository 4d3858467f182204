//! The client under a virtual clock, against a relay that each test scripts frame by frame.
#![allow(clippy::unwrap_used, reason = "tests")]

mod blind_names;
mod closing;
mod connecting;
mod dead_connections;
mod flow_control;
mod host_decryption;
mod hostile;
mod keys;
mod lies;
mod marks;
mod members;
mod page_lifecycle;
mod presence;
mod publishing;
mod reconnecting;
mod renewing;
mod resumed;
mod resuming;
mod rotation;
mod sessions;
mod signatures;
mod signing;
mod stamps;
mod subscribing;
mod support;
mod timeouts;
mod tokens;
