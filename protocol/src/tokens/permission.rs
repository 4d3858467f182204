//! The permissions of a token.

use serde::{Deserialize, Serialize};

/// One permission of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// Permits a session to receive publications.
    Subscribe,
    /// Permits a session to send publications.
    Publish,
    /// Permits a session to be a member of a channel's presence, and to watch it.
    Presence,
}

/// The permissions of a token. In JSON they are a list without duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "alloc::vec::Vec<Permission>", try_from = "alloc::vec::Vec<Permission>")]
pub struct Permissions {
    /// The permission to receive publications.
    pub subscribe: bool,
    /// The permission to send publications.
    pub publish: bool,
    /// The permission to be a member of a channel's presence, and to watch it.
    pub presence: bool,
}

impl Permissions {
    /// Every permission.
    pub const ALL: Self = Self { subscribe: true, publish: true, presence: true };
    /// The permissions of an app that states none: messages in both directions, and no presence.
    pub const MESSAGES: Self = Self { subscribe: true, publish: true, presence: false };

    /// Returns whether the token has this permission.
    #[must_use]
    pub fn allow(self, permission: Permission) -> bool {
        match permission {
            Permission::Subscribe => self.subscribe,
            Permission::Publish => self.publish,
            Permission::Presence => self.presence,
        }
    }
}

impl From<Permissions> for alloc::vec::Vec<Permission> {
    fn from(permissions: Permissions) -> Self {
        [Permission::Subscribe, Permission::Publish, Permission::Presence]
            .into_iter()
            .filter(|permission| permissions.allow(*permission))
            .collect()
    }
}

impl TryFrom<alloc::vec::Vec<Permission>> for Permissions {
    type Error = &'static str;

    fn try_from(list: alloc::vec::Vec<Permission>) -> Result<Self, Self::Error> {
        let count = |wanted| list.iter().filter(|permission| **permission == wanted).count();
        let counts = [Permission::Subscribe, Permission::Publish, Permission::Presence].map(count);
        if counts.iter().any(|count| *count > 1) {
            return Err("a permission is listed twice");
        }
        let [subscribe, publish, presence] = counts.map(|count| count == 1);
        Ok(Self { subscribe, publish, presence })
    }
}
