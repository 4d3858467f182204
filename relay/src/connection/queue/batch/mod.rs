//! Batches: several messages in one WebSocket message, for clients that accept them. A batch consists of the queued
//! frames after a header for all of them. Browsers spend more on each WebSocket message than on its content.

use super::{FrameKind, Queue, QueuedFrame};
use crate::websocket;

/// The maximum number of frames in a batch; with the header, they fit into one vectored write.
const MAX_FRAMES: u8 = 63;
/// The maximum bytes of a batch: a started batch must be completed, even for a client that reads too slowly.
const MAX_BYTES: usize = 64 * 1024;

impl Queue {
    /// Forms a batch if the client accepts batches and more than one message is queued. Called before every write.
    pub(in crate::connection) fn form_batch(&mut self) {
        if !self.takes_batches || self.committed > 0 {
            return;
        }
        let (mut count, mut bytes) = (0, 0);
        for frame in self.writable_frames() {
            let len = frame.bytes.len();
            if count == MAX_FRAMES || bytes + len > MAX_BYTES || !websocket::is_message(&frame.bytes) {
                break;
            }
            count += 1;
            bytes += len;
        }
        if count < 2 {
            return;
        }
        let header = websocket::encode_batch_header(bytes);
        self.bytes += header.len();
        self.owned_bytes += header.len();
        if self.replay_bytes > 0 {
            // The header belongs to the replay that follows it.
            self.replay_bytes += header.len();
        }
        self.frames.push_first(QueuedFrame {
            session: self.last_written,
            kind: FrameKind::Owned,
            bytes: header,
        });
        self.committed = count + 1;
    }
}

#[cfg(test)]
mod tests;
