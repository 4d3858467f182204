//! The data of a client, each piece with the rules that keep it consistent.

pub(crate) mod backoff;
pub(crate) mod channel;
pub(crate) mod channel_spec;
pub(crate) mod continuity;
pub(crate) mod flow_control;
pub(crate) mod missing_keys;
pub(crate) mod recovery;
pub(crate) mod reorder_buffer;
pub(crate) mod requests;
pub(crate) mod session;
pub(crate) mod subscription;
pub(crate) mod timers;
pub(crate) mod vec_map;
