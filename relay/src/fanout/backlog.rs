//! The bound on publications that wait for fan-out. Each tenant has its own bound, so a tenant with many subscribers
//! delays only its own publishers.

use crate::{
    critical_task,
    tenant::{ByHash, Tenant},
};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The maximum bytes of one installation's publications that wait for fan-out; its publishers wait while it is reached.
/// The relay's memory budget bounds all installations together.
const MAX_BYTES_PER_TENANT: u32 = 16 * 1024 * 1024;
/// The number of semaphore permits: more than there can ever be publications in flight.
const MAX_IN_FLIGHT: u32 = 1 << 29;

/// The permits of all publications that wait for fan-out.
pub(super) struct Backlog {
    /// The tenants with a publication or a publisher that waits, by installation.
    tenants: Mutex<ByHash<TenantLane>>,
    in_flight: Arc<Semaphore>,
}

/// The permits of one tenant.
struct TenantLane {
    bytes: Arc<Semaphore>,
    users: usize,
}

/// The permit of one publication in the backlog, released when the publication is queued at its subscribers.
#[derive(Default)]
pub struct BacklogPermit {
    tenant: Tenant,
    _permits: Option<HeldPermits>,
}

/// The deliveries of a stream between two marks. Its last clone is dropped when all of them are queued at their
/// subscribers.
#[derive(Debug, Default)]
pub(crate) struct Wave;

struct HeldPermits {
    _wave: Option<Arc<Wave>>,
    _bytes: OwnedSemaphorePermit,
    _in_flight: OwnedSemaphorePermit,
    _user: LaneUser,
}

/// One use of a tenant's lane. A lane without users is removed.
struct LaneUser {
    backlog: Arc<Backlog>,
    installation: u64,
}

impl BacklogPermit {
    /// Returns the tenant of the publication.
    pub(super) fn tenant(&self) -> Tenant {
        self.tenant
    }

    #[cfg(test)]
    pub(super) fn of(tenant: Tenant) -> Self {
        Self { tenant, _permits: None }
    }
}

impl Default for Backlog {
    fn default() -> Self {
        Self { tenants: Mutex::default(), in_flight: Arc::new(Semaphore::new(MAX_IN_FLIGHT as usize)) }
    }
}

impl Backlog {
    /// Waits until `bytes` of a tenant fit, and reserves them.
    pub(super) async fn acquire(self: &Arc<Self>, tenant: Tenant, bytes: usize) -> BacklogPermit {
        let (user, semaphore) = self.enter(tenant.installation);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(MAX_BYTES_PER_TENANT);
        // The first attempt does not wait and nearly always succeeds: waiting would consume the task's tokio budget.
        let bytes = match semaphore.clone().try_acquire_many_owned(bytes) {
            Ok(permit) => Some(permit),
            Err(_) => semaphore.acquire_many_owned(bytes).await.ok(),
        };
        let in_flight = match self.in_flight.clone().try_acquire_owned() {
            Ok(permit) => Some(permit),
            Err(_) => self.in_flight.clone().acquire_owned().await.ok(),
        };
        // Both are present, because neither semaphore is ever closed.
        let permits = bytes.zip(in_flight);
        let permits = permits.map(|(bytes, in_flight)| HeldPermits {
            _wave: None,
            _bytes: bytes,
            _in_flight: in_flight,
            _user: user,
        });
        BacklogPermit { tenant, _permits: permits }
    }

    /// Reserves `bytes` of a tenant without waiting, or nothing if they do not fit: the publisher is at another relay.
    pub(super) fn overdraw(self: &Arc<Self>, tenant: Tenant, bytes: usize, wave: Arc<Wave>) -> BacklogPermit {
        let (user, semaphore) = self.enter(tenant.installation);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(MAX_BYTES_PER_TENANT);
        let bytes =
            semaphore.clone().try_acquire_many_owned(bytes).or_else(|_| semaphore.try_acquire_many_owned(0));
        let permits = bytes.ok().zip(self.in_flight.clone().try_acquire_owned().ok());
        let permits = permits.map(|(bytes, in_flight)| HeldPermits {
            _wave: Some(wave),
            _bytes: bytes,
            _in_flight: in_flight,
            _user: user,
        });
        BacklogPermit { tenant, _permits: permits }
    }

    /// Waits until no publication is in flight.
    pub(super) async fn wait_until_empty(&self) {
        let _ = self.in_flight.acquire_many(MAX_IN_FLIGHT).await;
    }

    fn enter(self: &Arc<Self>, installation: u64) -> (LaneUser, Arc<Semaphore>) {
        let mut tenants = self.tenants();
        let lane = tenants.entry(installation).or_insert_with(|| TenantLane {
            bytes: Arc::new(Semaphore::new(MAX_BYTES_PER_TENANT as usize)),
            users: 0,
        });
        lane.users += 1;
        (LaneUser { backlog: self.clone(), installation }, lane.bytes.clone())
    }

    fn tenants(&self) -> MutexGuard<'_, ByHash<TenantLane>> {
        critical_task::unpoisoned(self.tenants.lock())
    }
}

impl Drop for LaneUser {
    fn drop(&mut self) {
        let mut tenants = self.backlog.tenants();
        if let Some(lane) = tenants.get_mut(&self.installation) {
            lane.users -= 1;
            if lane.users == 0 {
                tenants.remove(&self.installation);
            }
        }
    }
}

impl std::fmt::Debug for BacklogPermit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BacklogPermit").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn tenant(installation: u64) -> Tenant {
        Tenant { app: 1, installation }
    }

    #[test]
    fn a_full_backlog_delays_only_its_own_tenant() {
        let backlog = Arc::<Backlog>::default();
        let acquire = |installation, bytes| backlog.acquire(tenant(installation), bytes);
        let first = acquire(1, MAX_BYTES_PER_TENANT as usize - 10).now_or_never().unwrap();
        assert!(acquire(1, 11).now_or_never().is_none());
        let second = acquire(1, 10).now_or_never().unwrap();
        let other = acquire(2, 1 << 40).now_or_never().unwrap();
        assert_eq!((first.tenant(), other.tenant()), (tenant(1), tenant(2)));
        assert!(backlog.wait_until_empty().now_or_never().is_none());
        drop((first, other));
        assert!(acquire(1, 11).now_or_never().is_some());
        drop(second);
        assert!(backlog.wait_until_empty().now_or_never().is_some());
        assert!(backlog.tenants().is_empty());
    }
}
