//! The client under a virtual clock against a relay that each test plays frame by frame.

mod subscribing;
mod support;
