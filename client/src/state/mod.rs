//! The data of a client. Each module owns one piece and the rules that keep it consistent; [`crate::client`] decides when
//! it changes.

pub(crate) mod backoff;
pub(crate) mod channel;
pub(crate) mod channel_spec;
pub(crate) mod continuity;
pub(crate) mod flow_control;
pub(crate) mod missing_keys;
pub(crate) mod own_entry;
pub(crate) mod pause;
pub(crate) mod phase;
pub(crate) mod presence;
pub(crate) mod probe;
pub(crate) mod publishes;
pub(crate) mod recovery;
pub(crate) mod reorder_buffer;
pub(crate) mod requests;
pub(crate) mod senders;
pub(crate) mod session;
pub(crate) mod session_requests;
pub(crate) mod sleep_detector;
pub(crate) mod subscription;
pub(crate) mod timers;
pub(crate) mod token_lifetime;
pub(crate) mod token_renewal;
pub(crate) mod vec_map;
