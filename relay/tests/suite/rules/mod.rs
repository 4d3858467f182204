//! Tests of the session rules in virtual time.

mod broker_reset;
mod expiry;
mod heartbeat;
mod limits;
mod opening;
mod presence;
mod requests;
mod revocation;
mod session;
mod spread;
