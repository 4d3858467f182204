//! Support for the tests that span several crates: a relay process, two clients that speak its protocol directly, and
//! an app's installation with its keys and tokens.

mod frames;
mod installation;
mod raw_socket;
mod relay_process;
mod wire_client;

pub use frames::{fragments, frame, upgrade_request};
pub use installation::Installation;
pub use raw_socket::{ConnectionEnd, RawSocket, Received};
pub use relay_process::{RelayProcess, TRACED_CALLS};
pub use wire_client::WireClient;
