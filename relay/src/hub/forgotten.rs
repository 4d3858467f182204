//! The moment at which a channel of a tenant was last forgotten early. A new channel of that tenant may be the forgotten
//! one, so the hub promises nothing about the time before.

use crate::tenant::{ByHash, Tenant};
use std::time::{Duration, Instant};

/// Most installations that are told apart; past it, an app counts as a whole. A relay has few apps.
const INSTALLATIONS: usize = 4096;

#[derive(Default)]
pub(super) struct Forgotten {
    installations: ByHash<Instant>,
    apps: ByHash<Instant>,
}

impl Forgotten {
    /// A channel of the tenant was forgotten. What lies back longer than the replay window concerns nobody any more.
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

    pub(super) fn last(&self, tenant: Tenant) -> Option<Instant> {
        let installation = self.installations.get(&tenant.installation);
        installation.into_iter().chain(self.apps.get(&tenant.app)).max().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_answers_for_itself_until_there_are_too_many_and_then_its_app_does() {
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
        // The same again takes no further place, and those that are over make room.
        forgotten.note(tenant(1, 7), later, window);
        assert_eq!(forgotten.last(tenant(1, 7)), Some(later));
        forgotten.note(tenant(3, 1 << 42), start + window + Duration::from_millis(1), window);
        assert!(forgotten.installations.len() == 2 && forgotten.last(tenant(3, 1 << 43)).is_none());
    }
}
