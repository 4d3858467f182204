//! The Sealwire client as a sans-I/O state machine, the same natively and in the browser.
//!
//! A shell owns the WebSocket, the clocks, the randomness and the app's callbacks. It calls a command or a `handle_*` method
//! of [`Client`] for every input, and then drains the outputs:
//!
//! - [`Client::poll_transmit`] returns work for the WebSocket, whose results come back as [`Client::handle_opened`],
//!   [`Client::handle_frame`] and [`Client::handle_closed`].
//! - [`Client::poll_event`] returns events for the app. Some are requests, which the shell answers later, for example
//!   [`Event::SessionRequested`] with [`Client::handle_session`].
//! - [`Client::poll_timeout`] returns the time at which [`Client::handle_timeout`] is due if no other input comes first.
//!
//! The client never blocks, sleeps, reads a clock or panics on input. It delivers every message to a subscription once and
//! in order, or emits a [`Notice`] that says which messages are missing.

mod client;
mod config;
mod entropy;
mod error;
mod event;
mod grant;
mod state;
mod time;

pub use client::{Client, Draft};
pub use config::Config;
pub use entropy::Entropy;
pub use error::{ClientError, ErrorCode};
pub use event::{
    ConnectionId, DecryptionId, Event, FetchId, Gap, GapReason, Message, Notice, PublishId, Receipt,
    RefreshId, RenewalId, SessionReason, Standing, State, SubscriptionId, Transmit,
};
pub use grant::{GrantKey, InvalidGrant, SessionGrant};
pub use state::{channel_spec::ChannelSpec, pause::Pause};
pub use time::{Instant, Now};
