//! The client under a virtual clock against a relay that each test plays frame by frame.
#![allow(clippy::unwrap_used, reason = "tests")]

mod closing;
mod connecting;
mod hostile;
mod keys;
mod members;
mod opening;
mod publishing;
mod renewing;
mod resuming;
mod rotation;
mod sessions;
mod subscribing;
mod support;
mod tokens;
mod waiting;
mod waking;
