//! The revocations of a cluster: a log at the broker, and each relay's copy of it.

mod entry;
mod jetstream;
mod log;
mod replica;

#[cfg(feature = "fuzzing")]
pub(crate) use entry::{Entry, tag_record};
pub(super) use jetstream::JetStreamLog;
pub(super) use log::LogError;
pub(super) use replica::{Position, Replica};
