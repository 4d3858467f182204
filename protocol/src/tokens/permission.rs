//! What a token permits.

use serde::{Deserialize, Serialize};

/// One thing that a token permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// Receive publications.
    Subscribe,
    /// Send publications.
    Publish,
}

/// The permissions of a token, in JSON a list without repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "alloc::vec::Vec<Permission>", try_from = "alloc::vec::Vec<Permission>")]
pub struct Permissions {
    /// May receive publications.
    pub subscribe: bool,
    /// May send publications.
    pub publish: bool,
}

impl Permissions {
    /// Both.
    pub const ALL: Self = Self { subscribe: true, publish: true };

    /// Whether `permission` is among them.
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
