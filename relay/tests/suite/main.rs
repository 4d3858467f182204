//! The relay from outside: its rules in virtual time, and the built program over loopback.

#![allow(unreachable_pub, reason = "the support module is a library of its own")]
#![allow(clippy::unwrap_used, reason = "the support module is part of the tests")]

mod broker;
mod process;
mod rules;
mod support;
