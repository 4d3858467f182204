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
}

/// The permissions of a token. In JSON they are a list without duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "alloc::vec::Vec<Permission>", try_from = "alloc::vec::Vec<Permission>")]
pub struct Permissions {
    /// The permission to receive publications.
    pub subscribe: bool,
    /// The permission to send publications.
    pub publish: bool,
}

impl Permissions {
    /// Both permissions.
    pub const ALL: Self = Self { subscribe: true, publish: true };

    /// Returns whether the token has this permission.
    #[must_use]
    pub fn allow(self, permission: Permission) -> bool {
        match permission {
            Permission::Subscribe => self.subscribe,
            Permission::Publish => self.publish,
        }
    }
}

impl From<Permissions> for alloc::vec::Vec<Permission> {
    fn from(permissions: Permissions) -> Self {
        [Permission::Subscribe, Permission::Publish].into_iter().filter(|p| permissions.allow(*p)).collect()
    }
}

impl TryFrom<alloc::vec::Vec<Permission>> for Permissions {
    type Error = &'static str;

    fn try_from(list: alloc::vec::Vec<Permission>) -> Result<Self, Self::Error> {
        let count = |wanted| list.iter().filter(|p| **p == wanted).count();
        match (count(Permission::Subscribe), count(Permission::Publish)) {
            (subscribe @ 0..=1, publish @ 0..=1) => {
                Ok(Self { subscribe: subscribe == 1, publish: publish == 1 })
            }
            _ => Err("a permission is listed twice"),
        }
    }
}
