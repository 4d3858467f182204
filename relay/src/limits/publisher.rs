//! The installation that publishes: its keys on this relay, and in a cluster also its digests.

use super::{Limits, Usage, shared::TenantDigests};
use crate::{id_digest::IdDigest, tenant::Tenant};

/// An installation of an app, as the rates of publications know it.
pub(crate) struct Publisher {
    tenant: Tenant,
    /// `None` if this relay is alone.
    digests: Option<Box<TenantDigests>>,
}

impl Publisher {
    /// Returns a publisher at a relay that is alone.
    #[cfg(test)]
    pub(super) fn with_keys(tenant: Tenant) -> Self {
        Self { tenant, digests: None }
    }

    pub(crate) fn tenant(&self) -> Tenant {
        self.tenant
    }

    pub(super) fn digests(&self) -> Option<&TenantDigests> {
        self.digests.as_deref()
    }
}

impl Limits {
    /// Returns an installation of an app as a publisher.
    pub(crate) fn publisher(&self, app: &str, installation: &str) -> Publisher {
        match self.digests(app, installation) {
            Some(digests) => Publisher { tenant: self.tenant_of(&digests), digests: Some(Box::new(digests)) },
            None => Publisher { tenant: self.tenant(app, installation), digests: None },
        }
    }

    /// Records accepted publications for the next report to the other relays.
    pub(super) fn record(&self, publisher: &Publisher, usage: Usage) {
        if let (Some(shared), Some(digests)) = (&self.shared, publisher.digests()) {
            shared.record(digests, usage);
        }
    }

    /// Returns the digests of an installation and its app, if this relay is one of a cluster.
    pub(super) fn digests(&self, app: &str, installation: &str) -> Option<TenantDigests> {
        self.shared.as_ref().map(|_| TenantDigests {
            app: IdDigest::app(app),
            installation: IdDigest::installation(app, installation),
        })
    }

    pub(super) fn tenant_of(&self, digests: &TenantDigests) -> Tenant {
        Tenant { app: self.local_key(&digests.app), installation: self.local_key(&digests.installation) }
    }
}
