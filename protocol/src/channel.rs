//! Channel addresses, the ids that the relay sees of them, and the limits of channel and event names.

use crate::{Scope, decimal, hashing::Parts, limits};
use alloc::string::String;
use core::fmt;
use sha2::{Digest, Sha256};

/// The identity of a channel: two clients share a channel only if every part is equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelAddress<'a> {
    /// The app id.
    pub app: &'a str,
    /// The installation id.
    pub installation: &'a str,
    /// The context properties that the channel is scoped to.
    pub scope: &'a Scope,
    /// The tag of the channel token's claims, if the channel has claims.
    pub claims_tag: Option<&'a [u8; 32]>,
    /// The channel name.
    pub name: &'a str,
}

impl ChannelAddress<'_> {
    /// Returns the channel id: the first 16 bytes of the SHA-256 of these parts, `LP` being a part after its length.
    ///
    /// ```text
    /// LP("sealwire/channel/v1") LP(app) LP(installation) U32(n) {LP(property) LP(value)}×n LP(claims_tag) LP(name)
    /// ```
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

/// Identifies a channel on the wire and inside the relay. It is a hash, so it reveals no name and no value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub [u8; Self::LEN]);

impl ChannelId {
    /// The length of an id in bytes.
    pub const LEN: usize = 16;

    /// Reads an id from the wire. Returns `None` unless there are exactly [`Self::LEN`] bytes.
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

/// The first characters of every name tag: the text that a relay sees in place of a name in an app with blind names.
pub const NAME_TAG_PREFIX: &str = "~t1.";

/// The error for a channel or event name outside its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
#[non_exhaustive]
pub enum InvalidName {
    /// The channel name is empty or too long.
    Channel,
    /// The event name is too long.
    Event,
}

impl InvalidName {
    /// Returns the text for people. It is not made by a formatter, so that the core for pages contains none.
    #[must_use]
    pub fn message(self) -> String {
        let (start, max) = match self {
            Self::Channel => ("a channel's name has 1 to ", limits::MAX_CHANNEL_NAME),
            Self::Event => ("an event's name has at most ", limits::MAX_EVENT_NAME),
        };
        [start, &decimal(max as u64), " bytes"].concat()
    }
}

/// Checks the name of a channel.
///
/// # Errors
/// [`InvalidName::Channel`] if the name is empty or longer than [`limits::MAX_CHANNEL_NAME`].
pub fn check_channel_name(name: &str) -> Result<(), InvalidName> {
    if name.is_empty() || name.len() > limits::MAX_CHANNEL_NAME { Err(InvalidName::Channel) } else { Ok(()) }
}

/// Checks the name of an event. The empty name is the default event.
///
/// # Errors
/// [`InvalidName::Event`] if the name is longer than [`limits::MAX_EVENT_NAME`].
pub fn check_event_name(event: &str) -> Result<(), InvalidName> {
    if event.len() > limits::MAX_EVENT_NAME { Err(InvalidName::Event) } else { Ok(()) }
}
