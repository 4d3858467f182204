//! The bound on publications that wait for fan-out. Each tenant has a bound of its own, so a tenant with many subscribers
//! delays no publishers but its own.

use crate::{
    critical_task,
    tenant::{ByHash, Tenant},
};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most bytes of one installation's publications that wait; past it, its publishers do. All installations together are
/// bounded by the relay's memory.
const SHARE: u32 = 16 * 1024 * 1024;
/// More publications than can ever be under way at once.
const MANY: u32 = 1 << 29;

pub(super) struct Backlog {
    /// Those with a publication that waits, or a publisher that does.
    tenants: Mutex<ByHash<Lane>>,
    under_way: Arc<Semaphore>,
}

struct Lane {
    room: Arc<Semaphore>,
    users: usize,
}

/// BacklogPermit for a publication, given back when it is queued at its subscribers.
#[derive(Default)]
pub struct BacklogPermit {
    tenant: Tenant,
    _taken: Option<Taken>,
}

struct Taken {
    _bytes: OwnedSemaphorePermit,
    _under_way: OwnedSemaphorePermit,
    _user: User,
}

/// A user of a tenant's lane. The lane exists while it has users.
struct User {
    backlog: Arc<Backlog>,
    installation: u64,
}

impl BacklogPermit {
    /// The tenant of the publication.
    pub(super) fn tenant(&self) -> Tenant {
        self.tenant
    }

    #[cfg(test)]
    pub(super) fn of(tenant: Tenant) -> Self {
        Self { tenant, _taken: None }
    }
}

impl Default for Backlog {
    fn default() -> Self {
        Self { tenants: Mutex::default(), under_way: Arc::new(Semaphore::new(MANY as usize)) }
    }
}

impl Backlog {
    /// Waits until so many bytes of a tenant may be added.
    pub(super) async fn room(self: &Arc<Self>, tenant: Tenant, bytes: usize) -> BacklogPermit {
        let (user, room) = self.enter(tenant.installation);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(SHARE);
        // Without waiting where there is room, as nearly always: to wait counts against the budget of the task.
        let bytes = match room.clone().try_acquire_many_owned(bytes) {
            Ok(permit) => Some(permit),
            Err(_) => room.acquire_many_owned(bytes).await.ok(),
        };
        let under_way = match self.under_way.clone().try_acquire_owned() {
            Ok(permit) => Some(permit),
            Err(_) => self.under_way.clone().acquire_owned().await.ok(),
        };
        // Neither semaphore is ever closed.
        let taken = bytes.zip(under_way);
        let taken =
            taken.map(|(bytes, under_way)| Taken { _bytes: bytes, _under_way: under_way, _user: user });
        BacklogPermit { tenant, _taken: taken }
    }

    /// Waits until nothing is under way.
    pub(super) async fn settled(&self) {
        let _ = self.under_way.acquire_many(MANY).await;
    }

    fn enter(self: &Arc<Self>, installation: u64) -> (User, Arc<Semaphore>) {
        let mut tenants = self.tenants();
        let lane = tenants
            .entry(installation)
            .or_insert_with(|| Lane { room: Arc::new(Semaphore::new(SHARE as usize)), users: 0 });
        lane.users += 1;
        (User { backlog: self.clone(), installation }, lane.room.clone())
    }

    fn tenants(&self) -> MutexGuard<'_, ByHash<Lane>> {
        critical_task::sound(self.tenants.lock())
    }
}

impl Drop for User {
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
    fn a_tenant_whose_room_is_full_waits_and_nobody_else_does() {
        let backlog = Arc::<Backlog>::default();
        let room = |installation, bytes| backlog.room(tenant(installation), bytes);
        let first = room(1, SHARE as usize - 10).now_or_never().unwrap();
        assert!(room(1, 11).now_or_never().is_none());
        let second = room(1, 10).now_or_never().unwrap();
        let other = room(2, 1 << 40).now_or_never().unwrap();
        assert_eq!((first.tenant(), other.tenant()), (tenant(1), tenant(2)));
        assert!(backlog.settled().now_or_never().is_none());
        drop((first, other));
        assert!(room(1, 11).now_or_never().is_some());
        drop(second);
        assert!(backlog.settled().now_or_never().is_some());
        assert!(backlog.tenants().is_empty());
    }
}
