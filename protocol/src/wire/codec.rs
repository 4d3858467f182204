//! The encoding and decoding that both directions share.

/// Implements `to_bytes` and `from_bytes` for the messages of one direction. `$decode` decodes the protobuf message whose only
/// field is the oneof. `$messages::check` checks a decoded message.
macro_rules! implement_codec {
    ($messages:ident, $decode:ident) => {
        impl $messages {
            /// Encodes the message as the bytes of one WebSocket message.
            #[must_use]
            pub fn to_bytes(&self) -> Vec<u8> {
                let mut bytes = Vec::with_capacity(self.encoded_len());
                self.encode(&mut bytes);
                bytes
            }

            /// Decodes one WebSocket message, and checks its required fields and the sizes of its ids.
            ///
            /// # Errors
            /// [`FrameError`] if the bytes are not a valid message of this direction. The connection cannot continue.
            pub fn from_bytes(bytes: Bytes) -> Result<Self, FrameError> {
                let message = $decode(bytes)?;
                message.check()?;
                Ok(message)
            }
        }
    };
}
pub(super) use implement_codec;

/// Implements `channel_id` for messages whose field `channel_id` is checked when they are decoded.
macro_rules! implement_channel_id {
    ($($message:ident),+) => {$(
        impl $message {
            /// Returns the id of the channel.
            #[must_use]
            pub fn channel_id(&self) -> ChannelId {
                read_channel_id(&self.channel_id)
            }
        }
    )+};
}
pub(super) use implement_channel_id;
