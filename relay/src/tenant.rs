//! Tenants: an app, and an installation of it. What the relay shares out, it shares out between them.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// Names a tenant within one run of a relay: keyed hashes of its ids, so that nobody can aim for another's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tenant {
    /// The app.
    pub app: u64,
    /// The installation. No two apps have one in common.
    pub installation: u64,
}

/// A table whose keys are keyed hashes already.
pub(crate) type ByHash<T> = HashMap<u64, T, BuildHasherDefault<Hashed>>;

/// Takes a hash for what it is.
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
