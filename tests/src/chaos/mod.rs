//! Chaos: real clients on real relays, whose processes and connections fail by a seeded schedule, and a check that knows
//! nothing of the relays' own figures.
//!
//! [`run`] starts everything, publishes and subscribes while faults come and go, waits for the recovery, and checks the
//! record. `cargo xtask chaos` runs it for as long as it is told, `tests/tests/chaos.rs` for about a minute.

mod balancer;
mod broker_kind;
mod channels;
mod checker;
mod client;
mod faults;
mod history;
mod load;
mod random;
mod run;
mod tenant;

pub use broker_kind::BrokerKind;
pub use checker::{Finding, Kind, Verdict, check};
pub use faults::FaultKind;
pub use history::{History, Millis, Outcome, Place, Publication, Recorder, Risk, Seen, Subscription};
pub use run::{ChaosOptions, run};
