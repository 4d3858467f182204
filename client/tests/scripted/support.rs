//! A client under a virtual clock, and the relay's side played by the test.
#![allow(unreachable_pub, reason = "the modules of one test program")]

mod expect;
mod fixtures;
mod harness;

pub use fixtures::*;
pub use harness::Harness;
