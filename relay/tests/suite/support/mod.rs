//! The support of the suite: a relay process, tokens and minimal clients.

mod certificate;
mod client;
mod collector;
mod console;
mod description;
mod forged;
mod http;
mod light;
mod metrics;
mod nats;
mod presence;
mod process;
mod raw;
mod streamed;
mod terminal;
mod tokens;
mod watchdog;

pub use certificate::{Certificate, TLS12, TLS13};
pub use client::{Client, Stream, channel, rand_id, sealed};
pub use collector::{FakeCollector, Recorded};
pub use console::{ConsoleStream, console_post, console_request};
pub use description::{Described, Description};
pub use forged::{bad_session_tokens, bad_session_tokens_now, forge};
pub use http::{Answer, batch, post, request, request_bytes, request_head, request_over};
pub use light::{LightClient, Received, ended, numbered};
pub use metrics::Scrape;
pub use nats::NatsServer;
pub use presence::{Members, accepted, enter as presence_enter, member, must_refuse};
pub use process::{CROWD, CROWD_TURN, RelayProcess, relay_command, tls_config};
pub use raw::{handshake, handshake_over, masked, read_frame, try_handshake};
pub use streamed::{Streamed, post_to};
pub use terminal::Terminal;
pub use tokens::{APP, App, INSTALLATION, now};
pub use watchdog::Watchdog;
