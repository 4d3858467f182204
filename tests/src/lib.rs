//! Support for the tests that span several crates: relay processes and NATS servers with the faults between them, the
//! hosts and the network of a cluster, two clients that speak the relay's protocol directly, an app's installation with its keys and tokens, and chaos.

pub mod chaos;
mod fault_proxy;
mod frames;
pub mod hosts;
mod http_get;
mod installation;
mod nats;
mod raw_socket;
mod relay_cluster;
mod relay_process;
mod runtime;
mod signal;
mod wire_client;

pub use fault_proxy::{Fault, FaultProxy};
pub use frames::{fragments, frame, upgrade_request};
pub use http_get::http_get;
pub use installation::Installation;
pub use nats::{Certificates, NatsCluster, NatsOptions, NatsUser};
pub use raw_socket::{ConnectionEnd, RawSocket, Received};
pub use relay_cluster::RelayCluster;
pub use relay_process::{RelayProcess, TRACED_CALLS, relay_binary};
pub use wire_client::WireClient;
