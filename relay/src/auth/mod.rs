//! Permission: the keys that verify tokens, the checks of a request against its tokens, and the sessions that an app ended
//! before their time.

pub(crate) mod access;
pub(crate) mod revocations;
pub(crate) mod signing_keys;
