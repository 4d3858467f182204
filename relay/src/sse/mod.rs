//! The transport for networks that block WebSockets. Messages to the client are server-sent events in the response to one
//! request; messages from it are in the bodies of further requests.
//!
//! A connection uses it as one more kind of socket, with the same frames in both directions. Rules, queue, heartbeat,
//! goodbye, limits and metrics are therefore those of a WebSocket.

mod encode;
mod pipe;
mod registry;
mod stream_id;
mod upload;

pub(crate) use pipe::{PushOutcome, StreamedSocket};
pub(crate) use registry::StreamRegistry;
pub(crate) use stream_id::StreamId;
pub(crate) use upload::{MAX_UPLOAD_BODY, Upload, UploadError};
