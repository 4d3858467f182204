//! Several messages in one of the WebSocket's, for clients that take that: the frames that wait, as they are, behind the
//! header of a frame that holds them all. A browser spends more on a WebSocket message than on what is in it.

use super::{Frame, Kind, Queue};
use crate::websocket;

/// Most frames of a batch; with its header they fit into one vectored write.
const MAX_FRAMES: u8 = 63;
/// Longest batch, in bytes. What is begun has to be ended, also for a client that reads too slowly.
const MAX_BYTES: usize = 64 * 1024;

impl Queue {
    /// Turns what waits into a batch, where the client takes batches and more than one message waits. To be called before
    /// every write.
    pub(in crate::connection) fn form_batch(&mut self) {
        if !self.takes_batches || self.begun > 0 {
            return;
        }
        let (mut count, mut bytes) = (0, 0);
        for frame in self.ready() {
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
        self.own += header.len();
        if self.exempt > 0 {
            // Of a replay, as what follows it.
            self.exempt += header.len();
        }
        self.frames.push_first(Frame { session: self.written, kind: Kind::Own, bytes: header });
        self.begun = count + 1;
    }
}

#[cfg(test)]
mod tests;
