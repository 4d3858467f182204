//! What the tests across pieces share: a real relay process, a bare client that speaks the wire, and an installation
//! with its keys and tokens.

mod frames;
mod installation;
mod raw_socket;
mod relay_process;
mod wire_client;

pub use frames::{fragments, frame, upgrade_request};
pub use installation::Installation;
pub use raw_socket::{Farewell, RawSocket, Received};
pub use relay_process::{RelayProcess, TRACED_CALLS};
pub use wire_client::WireClient;
