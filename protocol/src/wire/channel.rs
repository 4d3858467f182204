//! The channel of a request, as a client names it.

use alloc::{string::String, vec::Vec};
use core::fmt;
use prost::Message;

/// A channel as a client names it. The relay takes the values of the properties from the verified session.
#[derive(Clone, PartialEq, Eq, Message)]
#[prost(skip_debug)]
pub struct Channel {
    /// The channel name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The context properties of the scope, in any order.
    #[prost(string, repeated, tag = "2")]
    pub properties: Vec<String>,
    /// The channel token, or empty.
    #[prost(string, tag = "3")]
    pub token: String,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("properties", &self.properties)
            .field("token", &!self.token.is_empty())
            .finish_non_exhaustive()
    }
}
