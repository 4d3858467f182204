//! Records the last time at which the hub dropped an idle channel of a tenant before the replay window had passed. A
//! new channel of that tenant may be the dropped one, so the hub promises no recovery for the time before.

use crate::tenant::{ByHash, Tenant};
use std::time::{Duration, Instant};

/// The maximum number of installations with their own record. Further ones share their app's record; a relay has few
/// apps.
const INSTALLATIONS: usize = 4096;

/// The last early drop of a channel, by installation and by app.
#[derive(Default)]
pub(super) struct Forgotten {
    installations: ByHash<Instant>,
    apps: ByHash<Instant>,
}

impl Forgotten {
    /// Records that a channel of the tenant was dropped. Records older than the replay window are discarded to make
    /// room.
    pub(super) fn note(&mut self, tenant: Tenant, now: Instant, window: Duration) {
        if self.installations.len() >= INSTALLATIONS && !self.installations.contains_key(&tenant.installation)
        {
            self.installations.retain(|_, at| now.saturating_duration_since(*at) <= window);
        }
        if self.installations.len() < INSTALLATIONS || self.installations.contains_key(&tenant.installation) {
            self.installations.insert(tenant.installation, now);
        } else {
            self.apps.insert(tenant.app, now);
        }
    }

    /// Returns the last early drop of a channel that may have been the tenant's.
    pub(super) fn last(&self, tenant: Tenant) -> Option<Instant> {
        let installation = self.installations.get(&tenant.installation);
        installation.into_iter().chain(self.apps.get(&tenant.app)).max().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installations_past_the_maximum_share_the_record_of_their_app() {
        let (mut forgotten, window, start) = (Forgotten::default(), Duration::from_secs(120), Instant::now());
        let tenant = |app, installation| Tenant { app, installation };
        for installation in 0..INSTALLATIONS as u64 {
            forgotten.note(tenant(1, installation), start, window);
        }
        assert_eq!(forgotten.last(tenant(1, 7)), Some(start));
        assert_eq!(forgotten.last(tenant(1, 1 << 40)), None);
        let later = start + Duration::from_secs(1);
        forgotten.note(tenant(2, 1 << 40), later, window);
        for (app, installation, at) in [(1, 7, Some(start)), (2, 1 << 41, Some(later)), (1, 1 << 41, None)] {
            assert_eq!(forgotten.last(tenant(app, installation)), at);
        }
        // A repeated record needs no further entry, and expired records make room.
        forgotten.note(tenant(1, 7), later, window);
        assert_eq!(forgotten.last(tenant(1, 7)), Some(later));
        forgotten.note(tenant(3, 1 << 42), start + window + Duration::from_millis(1), window);
        assert!(forgotten.installations.len() == 2 && forgotten.last(tenant(3, 1 << 43)).is_none());
    }
}
