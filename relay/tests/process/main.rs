//! The built relay as a process of its own, over loopback, spoken to by clients that know nothing of its code.

#![allow(unreachable_pub, reason = "the support module is a library of its own")]
mod support;

mod hello;
mod http;
mod lifetime;
mod publishing;
mod refusals;
mod replay;
mod slow;
mod startup;
