//! The names of channels and events as the relay sees them: themselves, or their tags in an app with blind names.

use crate::ClientError;
use sealwire_protocol::{Code, NameKind, NameTagKey, limits};

/// The text of the error for a name that can have no tag.
const UNTAGGABLE: &str =
    "a name is longer than 159 bytes, the limit with blindNames, or begins like a tag, with ~t1.";
const _: () = assert!(limits::MAX_TAGGED_NAME == 159);

/// Translates names to those that the relay sees, and back.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Names(Option<NameTagKey>);

impl Names {
    /// Reads the key of a grant, if it has one. Returns `None` if the key is malformed.
    pub(crate) fn read(key: Option<&str>) -> Option<Self> {
        match key {
            None => Some(Self(None)),
            Some(key) => NameTagKey::parse(key).map(|key| Self(Some(key))),
        }
    }

    /// Returns the channel name that the relay sees.
    pub(crate) fn channel(&self, name: &str) -> Result<String, ClientError> {
        self.tag(NameKind::Channel, name)
    }

    /// Returns the event name that the relay sees. The default event, whose name is empty, has no tag.
    pub(crate) fn event(&self, name: &str) -> Result<String, ClientError> {
        if name.is_empty() { Ok(String::new()) } else { self.tag(NameKind::Event, name) }
    }

    fn tag(&self, kind: NameKind<'_>, name: &str) -> Result<String, ClientError> {
        match &self.0 {
            None => Ok(name.into()),
            Some(key) => key.tag(kind, name).ok_or_else(|| ClientError::new(Code::NameInvalid, UNTAGGABLE)),
        }
    }

    /// Returns the event name behind the one that the relay sees. Returns `None` if it should be a tag and is none.
    pub(crate) fn event_name(&self, seen: &str) -> Option<String> {
        match &self.0 {
            Some(key) if !seen.is_empty() => key.name(NameKind::Event, seen),
            _ => Some(seen.into()),
        }
    }
}
