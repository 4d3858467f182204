//! The harness of the scripted tests: a client under a virtual clock, fixtures, and expectations.
#![allow(unreachable_pub, reason = "the modules of one test program")]

mod expect;
mod fixtures;
mod harness;

pub use fixtures::*;
pub use harness::Harness;
