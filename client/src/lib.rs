//! The Sealwire client as a sans-I/O state machine, the same natively and in the browser.
//!
//! A shell owns the WebSocket, the clocks, the randomness and the app's callbacks. It feeds [`Client`] with commands
//! and with what happens (`handle_*`), and after each of them drains what the client wants: [`Client::poll_transmit`]
//! for the WebSocket, [`Client::poll_event`] for the app, [`Client::poll_timeout`] for the moment at which
//! [`Client::handle_timeout`] is due. Nothing here blocks, sleeps, reads a clock or panics on input.
//!
//! What it promises to a subscription: every message once and in order, or a [`Notice`] that says what is missing.

mod backoff;
mod channel;
mod client;
mod config;
mod connection;
mod continuity;
mod delivery;
mod entropy;
mod error;
mod event;
mod flow;
mod frames;
mod grant;
mod inbox;
mod join;
mod loss;
mod missing;
mod opening;
mod publish;
mod renewal;
mod requests;
mod session;
mod spec;
mod subscribe;
mod subscription;
mod table;
mod time;
mod timers;
mod token;
mod wake;

pub use client::Client;
pub use config::Config;
pub use entropy::Entropy;
pub use error::{ClientError, ErrorCode};
pub use event::{
    ConnectionId, Event, FetchId, Gap, GapReason, Message, Notice, OpeningId, PublishId, Receipt, RefreshId,
    RenewalId, SessionReason, State, SubscriptionId, Transmit,
};
pub use grant::{GrantKey, InvalidGrant, SessionGrant};
pub use publish::Draft;
pub use spec::ChannelSpec;
pub use subscription::Standing;
pub use time::{Instant, Now};
pub use wake::Pause;
