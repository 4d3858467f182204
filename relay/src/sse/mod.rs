//! The transport for networks that let no WebSocket through: messages to the client come as server-sent events in the
//! answer to one request, messages from it in the bodies of others.
//!
//! To the connection it is one more kind of socket, with the same frames in both directions. Rules, queue, heartbeat and
//! goodbye are therefore those of a WebSocket, and what is limited or counted there is limited and counted here.

mod encode;
mod pipe;
mod registry;
mod stream_id;
mod upload;

pub(crate) use pipe::{Pushed, StreamedSocket};
pub(crate) use registry::Streams;
pub(crate) use stream_id::StreamId;
pub(crate) use upload::{Batch, BatchError, MAX_BATCH_BODY};
