//! A relay process, tokens for it, and minimal clients.

mod client;
mod http;
mod process;
mod tokens;

pub use client::{Client, Farewell, channel, sealed};
pub use http::{Answer, post, request, request_bytes};
pub use process::{RelayProcess, relay_command};
pub use tokens::{APP, App, INSTALLATION, now};
