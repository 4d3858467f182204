//! Everything that the clients of a run share.

use crate::chaos::{balancer::Balancer, channels::Channel, history::Recorder, tenant::Tenant};
use std::sync::Arc;

/// The record, the relays, the channels and the installations.
#[derive(Clone)]
pub(in crate::chaos) struct Surroundings {
    pub(in crate::chaos) recorder: Arc<Recorder>,
    pub(in crate::chaos) balancer: Arc<Balancer>,
    pub(in crate::chaos) channels: Arc<Vec<Channel>>,
    pub(in crate::chaos) tenants: Arc<Vec<Tenant>>,
}
