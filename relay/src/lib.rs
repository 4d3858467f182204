//! The Sealwire relay: checks who may join which channel and fans sealed messages out to them. It cannot read them, and
//! holds no code that could.
//!
//! [`SessionRules`] and [`Hub`] are its rules without I/O, for tests in virtual time; [`Relay`] is the whole server.

mod admin;
mod audit;
mod auth;
mod broker;
mod clock;
mod config;
mod connection;
mod critical_task;
mod fanout;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod guests;
mod http;
mod hub;
mod lifecycle;
mod limits;
mod listener;
mod memory;
mod metrics;
mod output;
mod proxies;
mod pulse;
mod refused;
mod server;
mod session;
mod session_id;
mod settings;
mod sse;
mod tenant;
mod tls;
mod websocket;

pub use auth::{
    revocations::{Revocations, Selector},
    signing_keys::{KeyChanges, SigningKeys},
};
pub use broker::{Broker, BrokerError, BrokerFuture, BrokerStatus, EmbeddedBroker};
pub use clock::Now;
pub use config::{Config, ConfigError, ConfigOrigin, NewApp, Overrides, Risk, template};
pub use fanout::{BacklogPermit, Deliveries, Opening, Subscribers, Visited};
pub use hub::{
    Accepted, Draft, History, Hub, HubCounts, HubLimits, IdReused, IdempotencyId, Outcome, Publication,
    Replay,
};
pub use limits::{Limit, Limits};
pub use listener::Endpoint;
pub use memory::{Memory, MemoryUsage};
pub use output::{Output, flush_log, open_log};
pub use proxies::TrustedProxies;
pub use pulse::Pulse;
pub use refused::Refused;
pub use server::{Relay, Reloaded, StartError};
pub use session::{
    EndReason, EventFilter, Identity, Joined, Publishing, Refusal, SessionAction, SessionConfig, SessionRules,
};
pub use session_id::SessionId;
pub use settings::{AllowedOrigins, Listen, LogFormat, Rate, Setting, Settings, schema};
pub use tenant::Tenant;
pub use tls::Tls;
pub use websocket::{Decoder, Incoming, Violation};
