//! The Sealwire client as a sans-I/O state machine, the same natively and in the browser.
//!
//! A shell owns the WebSocket, the clocks, the randomness and the app's callbacks. It feeds [`Client`] with commands
//! and with what happens (`handle_*`), and after each of them drains what the client wants: [`Client::poll_transmit`]
//! for the WebSocket, [`Client::poll_event`] for the app, [`Client::poll_timeout`] for the moment at which
//! [`Client::handle_timeout`] is due. Nothing here blocks, sleeps, reads a clock or panics on input.
//!
//! What it promises to a subscription: every message once and in order, or a [`Notice`] that says what is missing.

mod client;
mod config;
mod entropy;
mod error;
mod event;
mod state;
mod time;

pub use client::Client;
pub use client::page_lifecycle::Pause;
pub use client::publish::Draft;
pub use config::Config;
pub use entropy::Entropy;
pub use error::{ClientError, ErrorCode};
pub use event::{
    ConnectionId, Event, FetchId, Gap, GapReason, Message, Notice, OpeningId, PublishId, Receipt, RefreshId,
    RenewalId, SessionReason, State, SubscriptionId, Transmit,
};
pub use state::channel_spec::ChannelSpec;
pub use state::session::{GrantKey, InvalidGrant, SessionGrant};
pub use state::subscription::Standing;
pub use time::{Instant, Now};
