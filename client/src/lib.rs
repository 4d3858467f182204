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
//!
//! # The loop of a shell
//!
//! In this example the app refuses the session, so that the loop ends without a relay.
//!
//! ```
//! use sealwire_client::{ChannelSpec, Client, ClientError, Config, Entropy, Event, Instant, Now, Transmit};
//! use sealwire_protocol::{Code, UnixMillis};
//!
//! struct NotRandom; // A real shell passes secure random bytes.
//! impl Entropy for NotRandom {
//!     fn fill(&mut self, bytes: &mut [u8]) {
//!         bytes.fill(0);
//!     }
//! }
//!
//! let mut client = Client::new(Config::default(), Box::new(NotRandom));
//! let mut now = Now { instant: Instant(0), unix: UnixMillis(1_800_000_000_000) };
//! let channel = ChannelSpec { name: "absences".into(), scope: None, token: None };
//! let id = client.subscribe(now, channel, None); // A command is an input, too.
//! let mut outcome = None;
//! loop {
//!     while let Some(transmit) = client.poll_transmit() {
//!         match transmit {
//!             Transmit::Connect { url, .. } => println!("open a WebSocket to {url}"),
//!             Transmit::Send { bytes, .. } => println!("send {} bytes", bytes.len()),
//!             Transmit::Disconnect { code, .. } => println!("close the WebSocket with code {code}"),
//!         }
//!     }
//!     match client.poll_event() {
//!         Some(Event::SessionRequested { fetch, .. }) => {
//!             let error = ClientError::new(Code::PermissionMissing, "the user may not see this page");
//!             client.handle_session_failed(now, fetch, error);
//!         }
//!         Some(Event::SubscribeDone { subscription, result }) if subscription == id => outcome = Some(result),
//!         Some(event) => println!("report {event:?} to the app"),
//!         None => {
//!             // A real shell waits here for the socket, the app or the timeout, whichever comes first.
//!             let Some(due) = client.poll_timeout() else { break };
//!             now.instant = due;
//!             client.handle_timeout(now);
//!         }
//!     }
//! }
//! assert_eq!(outcome.unwrap().unwrap_err().code.name(), "PERMISSION_MISSING");
//! ```
//!
//! # Presence
//!
//! [`Client::subscribe_presence`] subscribes to the members of a channel. Once [`Event::SubscribeDone`] has confirmed it,
//! [`Client::enter`] makes this client a member, with data that the relay cannot read. The client enters again by itself after
//! each reconnect, and [`Event::Members`] has each change.
//!
//! ```
//! # use sealwire_client::{ChannelSpec, Client, Config, Entropy, Event, Instant, Now};
//! # use sealwire_protocol::UnixMillis;
//! # struct NotRandom;
//! # impl Entropy for NotRandom {
//! #     fn fill(&mut self, bytes: &mut [u8]) {
//! #         bytes.fill(0);
//! #     }
//! # }
//! # let mut client = Client::new(Config::default(), Box::new(NotRandom));
//! # let now = Now { instant: Instant(0), unix: UnixMillis(1_800_000_000_000) };
//! let channel = ChannelSpec { name: "dashboard".into(), scope: None, token: None };
//! let presence = client.subscribe_presence(now, channel, None, None);
//! while let Some(event) = client.poll_event() {
//!     match event {
//!         Event::SubscribeDone { subscription, result: Ok(()) } if subscription == presence => {
//!             client.enter(now, presence, r#"{"name":"Anna"}"#.into(), false);
//!         }
//!         Event::EnterDone { result: Err(error), .. } => println!("the relay refused the member: {error}"),
//!         Event::Members { changed, left, .. } => println!("{} changed, {} left", changed.len(), left.len()),
//!         _ => {} // A real shell carries out the other events as above.
//!     }
//! }
//! assert_eq!(client.members(presence), []);
//! ```

mod author;
mod client;
mod config;
mod entropy;
mod error;
mod event;
mod grant;
mod ids;
mod member;
mod state;
mod time;

pub use author::{Author, SignedText};
pub use client::{Client, Draft};
pub use config::Config;
pub use entropy::Entropy;
pub use error::{ClientError, ErrorCode};
pub use event::{
    ConnectionId, DecryptionId, EnterId, Event, FetchId, Gap, GapReason, Member, Message, Notice, PublishId,
    Receipt, RefreshId, RenewalId, SessionReason, SigningId, Standing, State, SubscriptionId, Transmit,
    VerificationId,
};
pub use grant::{GrantKey, InvalidGrant, SessionGrant};
pub use state::{channel_spec::ChannelSpec, pause::Pause};
pub use time::{Instant, Now};
