//! The Sealwire relay: verifies tokens, authorizes subscriptions and publications, and fans sealed messages out to the
//! subscribers of a channel. It contains no code that could decrypt them.
//!
//! [`Relay`] is the whole server. [`SessionRules`] and [`Hub`] are its state machines without I/O, for tests in virtual
//! time. [`Broker`] is the interface to other message brokers; [`EmbeddedBroker`] serves a single relay.
//!
//! # Embedding a relay in a test
//!
//! A relay runs inside a test's process: start it on port 0, read its address, and shut it down at the end.
//!
//! ```
//! use sealwire_relay::{Config, Endpoint, NewApp, Overrides, Relay};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let app = NewApp::generate("example-app".to_owned())?;
//! let variables = [
//!     ("SEALWIRE_RELAY_LISTEN", "127.0.0.1:0"),
//!     ("SEALWIRE_RELAY_APP", &app.id),
//!     ("SEALWIRE_RELAY_SIGNING_KEYS", &app.signing_key),
//! ];
//! let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
//! let config = Config::load(None, variables, &Overrides::default())?;
//!
//! let relay = Relay::start(config).await?;
//! let Endpoint::Tcp { address, .. } = relay.endpoint() else { panic!("the relay listens on TCP") };
//! // Clients connect to `ws://{address}/v1/realtime`, with tokens that are signed with `app.signing_key`.
//! assert_ne!(address.port(), 0);
//!
//! // Ends all connections, and returns the number of those that did not close within the deadline.
//! assert_eq!(relay.shut_down().await, 0);
//! # Ok(())
//! # }
//! ```

mod activity;
mod admin;
mod audit;
mod auth;
mod broker;
mod channel_name;
mod clock;
mod cluster;
mod config;
mod connection;
mod critical_task;
mod fanout;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod hex;
mod http;
mod http_connections;
mod hub;
mod id_digest;
mod identity;
mod lifecycle;
mod limits;
mod listener;
mod member_id;
mod memory;
mod metrics;
mod nats;
mod output;
mod presence;
mod proxies;
mod refused;
mod server;
mod session;
mod session_id;
mod settings;
mod sse;
mod stall_detector;
mod telemetry;
mod tenant;
mod tls;
mod trace_context;
mod websocket;

pub use activity::{Activity, Entrance, Observer};
pub use auth::{
    revocations::{Revocations, Selector},
    signing_keys::{KeyChanges, SigningKeys},
};
pub use broker::jetstream::{
    Entry, EpochMarks, Follower, FollowerAction, FollowerCounts, Leader, Mark, RelinkReason, RequestId,
    ResetReason, StoredPublication, StreamInfo, Ticket,
};
pub use broker::{Broker, BrokerError, BrokerFuture, BrokerStatus, EmbeddedBroker};
pub use channel_name::ChannelName;
pub use clock::Now;
pub use config::{
    Apps, AppsDir, AppsDirWatch, Config, ConfigError, ConfigOrigin, Look, NewApp, Overrides, Risk, template,
};
pub use fanout::{BacklogPermit, CatchUp, Deliveries, Subscribers, Visited};
pub use hub::{
    ContentDigest, Draft, FollowedReplay, History, Hub, HubCounts, HubLimits, IdReused, IdempotencyId,
    Outcome, Publication, PublishReceipt, Replay,
};
pub use limits::{Limit, Limits};
pub use listener::Endpoint;
pub use memory::{Memory, MemoryUsage};
pub use metrics::{BrokerMetrics, CatchUpReason, JoinUnderWay};
pub use output::{Output, flush_log, open_log};
pub use presence::{Entry as PresenceEntry, MemberId, Owner as PresenceOwner};
pub use proxies::TrustedProxies;
pub use refused::Refused;
pub use server::{Relay, ReloadScope, Reloaded, ReloadedApps, StartError};
pub use session::{
    EndReason, EventFilter, Identity, Marks, PresenceAction, Publishing, Refusal, SessionAction,
    SessionConfig, SessionRules, SubscriptionStart,
};
pub use session_id::SessionId;
pub use settings::{
    AllowedOrigins, BrokerAddress, BrokerPrefix, Listen, LogFormat, NatsServer, OtlpEndpoint, Rate, Setting,
    Settings, TraceRatio, schema,
};
pub use stall_detector::StallDetector;
pub use telemetry::CollectorError;
pub use tenant::Tenant;
pub use tls::Tls;
pub use trace_context::TraceContext;
pub use websocket::{Decoder, Incoming, Violation};
