//! Tenants: an app and one installation of it. Caches, rates and fan-out divide their capacity between tenants.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// Identifies a tenant within one run of a relay. The ids are keyed hashes, so an attacker cannot construct a collision
/// with another tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tenant {
    /// The hash of the app's id.
    pub app: u64,
    /// The hash of the app's and the installation's ids. Installations of different apps never share it.
    pub installation: u64,
}

/// A hash map whose keys are already keyed hashes, so that they are not hashed again.
pub(crate) type ByHash<T> = HashMap<u64, T, BuildHasherDefault<Hashed>>;

/// The identity hasher of [`ByHash`].
#[derive(Default)]
pub(crate) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
