//! Traces by OpenTelemetry, as an option. Operations of the relay become spans, which a task sends to a collector.
//!
//! A span has no name, token, payload or account of a client: channels and installations are written as keyed hashes.
//! docs/security.md lists every attribute.

mod collector;
mod exporter;
mod handle;
mod operations;
mod origin;
mod processor;
mod recorder;
mod span;

pub use collector::CollectorError;
pub(crate) use handle::Telemetry;
pub(crate) use operations::{Delivered, PublishRequestSpan};
pub(crate) use origin::Origin;
