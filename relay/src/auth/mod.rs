//! Authorization: the keys that verify tokens, the checks of requests against tokens, and the revocations.

pub(crate) mod access;
pub(crate) mod revocations;
pub(crate) mod signing_keys;
