//! Channels and their ids.

use crate::{Scope, hashing::Parts, limits};
use core::fmt;
use sha2::{Digest, Sha256};

/// What makes a channel: two clients meet only where every part is equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelAddress<'a> {
    /// App id.
    pub app: &'a str,
    /// Installation id.
    pub installation: &'a str,
    /// Context properties that the channel belongs to.
    pub scope: &'a Scope,
    /// Tag of the channel token's claims, where the channel has any.
    pub claims_tag: Option<&'a [u8; 32]>,
    /// Channel name.
    pub name: &'a str,
}

impl ChannelAddress<'_> {
    /// The first 16 bytes of
    /// `SHA-256(LP("sealwire/channel/v1") LP(app) LP(installation) U32(n) {LP(property) LP(value)}×n LP(claims_tag) LP(name))`.
    #[must_use]
    pub fn id(&self) -> ChannelId {
        let mut hash = Sha256::new();
        hash.length_prefixed("sealwire/channel/v1");
        hash.length_prefixed(self.app);
        hash.length_prefixed(self.installation);
        hash.u32(self.scope.len());
        for (property, value) in self.scope.iter() {
            hash.length_prefixed(property);
            hash.length_prefixed(value);
        }
        hash.length_prefixed(self.claims_tag.map_or(&[][..], |tag| tag));
        hash.length_prefixed(self.name);
        let digest: [u8; 32] = hash.finalize().into();
        let mut id = [0; ChannelId::LEN];
        id.copy_from_slice(&digest[..ChannelId::LEN]);
        ChannelId(id)
    }
}

/// A channel on the wire and inside the relay: says nothing about the names and values behind it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub [u8; Self::LEN]);

impl ChannelId {
    /// Bytes of an id.
    pub const LEN: usize = 16;

    /// From the wire; `None` unless there are exactly [`Self::LEN`] bytes.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelId({self})")
    }
}

/// A channel or event name outside its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// Empty or too long.
    #[error("a channel's name has 1 to {max} bytes", max = limits::MAX_CHANNEL_NAME)]
    Channel,
    /// Too long.
    #[error("an event's name has at most {max} bytes", max = limits::MAX_EVENT_NAME)]
    Event,
}

/// Checks a channel's name.
///
/// # Errors
/// [`InvalidName::Channel`].
pub fn check_channel_name(name: &str) -> Result<(), InvalidName> {
    if name.is_empty() || name.len() > limits::MAX_CHANNEL_NAME { Err(InvalidName::Channel) } else { Ok(()) }
}

/// Checks an event's name; the empty name is the default event.
///
/// # Errors
/// [`InvalidName::Event`].
pub fn check_event_name(event: &str) -> Result<(), InvalidName> {
    if event.len() > limits::MAX_EVENT_NAME { Err(InvalidName::Event) } else { Ok(()) }
}
