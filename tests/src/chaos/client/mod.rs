//! Clients of a run: pages with the package's client core, and resolvers.

mod actor;
mod http;
mod payload;
mod socket;
mod surroundings;

pub(super) use actor::ChaosClient;
pub(super) use http::HttpPublisher;
pub(super) use surroundings::Surroundings;
