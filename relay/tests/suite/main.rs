//! The integration tests of the relay: the session rules in virtual time, and the built program over loopback.

#![allow(unreachable_pub, reason = "the support module is like a library")]
#![allow(clippy::unwrap_used, reason = "the support module is part of the tests")]

mod broker;
mod process;
mod rules;
mod support;
