//! The permits of connections, sessions and subscriptions, which are released when they are dropped.

use super::{
    Limit, Limits,
    bucket::Bucket,
    installations::Installation,
    shared::{Holder, SharedUse, TenantDigests},
};
use crate::{
    auth::access::Namespace, id_digest::IdDigest, proxies::client_network, refused::Refused, tenant::Tenant,
};
use std::{
    hash::BuildHasher as _,
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

/// The maximum number of refused connections that receive an error at the same time. Further ones are closed without a
/// response.
const MAX_REFUSALS: usize = 64;

/// The permit of a connection, with the one of its address if that is known at the accept.
pub(crate) struct Admission {
    limits: Arc<Limits>,
    _address: Option<AddressPermit>,
}

/// The permit of a refused connection that receives an error.
pub(crate) struct RefusalPermit(Arc<Limits>);

/// The permit of a connection from one client address.
pub(crate) struct AddressPermit {
    limits: Arc<Limits>,
    address: u64,
}

/// The permit of a session, for its app, installation and account.
pub(crate) struct SessionPermit {
    installation: Arc<Installation>,
    account: u64,
    /// The account's digest; `None` if this relay is alone.
    account_digest: Option<Box<IdDigest>>,
    replays: Bucket,
}

impl Limits {
    /// Acquires the permit of a new connection. `address` is `None` behind a proxy, whose header names the client
    /// later.
    pub(crate) fn admit_connection(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Admission, Refused> {
        let taken = self.connections.fetch_add(1, Ordering::Relaxed);
        let mut admission = Admission { limits: self.clone(), _address: None };
        if taken >= self.settings().max_connections {
            return Err(self.refuse(Limit::Connections));
        }
        admission._address = address.map(|address| self.admit_address(address)).transpose()?;
        Ok(admission)
    }

    /// Acquires the permit to send an error to a refused connection; `None` in a flood of them.
    pub(crate) fn admit_refusal(self: &Arc<Self>) -> Option<RefusalPermit> {
        let permit = RefusalPermit(self.clone());
        (self.refusals_in_progress.fetch_add(1, Ordering::Relaxed) < MAX_REFUSALS).then_some(permit)
    }

    /// Acquires the permit of a connection from this address.
    pub(crate) fn admit_address(self: &Arc<Self>, address: IpAddr) -> Result<AddressPermit, Refused> {
        let address = self.keys.hash_one(("address", client_network(address)));
        if self.concurrency.try_acquire(address, self.settings().max_connections_per_address) {
            Ok(AddressPermit { limits: self.clone(), address })
        } else {
            Err(self.refuse(Limit::ConnectionsPerAddress))
        }
    }

    /// Acquires the permits of a new session. In a cluster, the sessions that other relays reported count as well.
    pub(crate) fn admit_session(
        self: &Arc<Self>,
        app: &str,
        installation: &str,
        account: &str,
    ) -> Result<SessionPermit, Refused> {
        let (settings, publisher) = (self.settings(), self.publisher(app, installation));
        let tenant = publisher.tenant();
        let account_digest = publisher.digests();
        let account_digest = account_digest.map(|_| Box::new(IdDigest::account(app, installation, account)));
        let account = match &account_digest {
            Some(digest) => self.local_key(digest),
            None => self.account(app, installation, account),
        };
        let permits = [
            (Limit::SessionsPerApp, tenant.app, settings.max_sessions_per_app),
            (Limit::SessionsPerInstallation, tenant.installation, settings.max_sessions_per_installation),
            (Limit::SessionsPerAccount, account, settings.max_sessions_per_account),
        ];
        for (index, (limit, key, max)) in permits.into_iter().enumerate() {
            let others = self.shared.as_ref().map_or(0, |shared| shared.others.of(key));
            if !self.concurrency.try_acquire(key, max.saturating_sub(others)) {
                permits[..index].iter().for_each(|(_, key, _)| self.concurrency.release(*key));
                return Err(self.refuse(limit));
            }
        }
        let installation = self.share_installation(Namespace { app, installation }, publisher);
        let permit = SessionPermit { installation, account, account_digest, replays: Bucket::default() };
        permit.holders().for_each(|(holder, name)| permit.report(|shared| shared.own.enter(holder, name)));
        Ok(permit)
    }
}

impl SessionPermit {
    fn limits(&self) -> &Arc<Limits> {
        &self.installation.limits
    }

    /// Returns the names that the session counts for in a cluster.
    fn holders(&self) -> impl Iterator<Item = (Holder, IdDigest)> + use<> {
        let tenant = self.installation.publisher.digests().map(|TenantDigests { app, installation }| {
            [(Holder::App, *app), (Holder::Installation, *installation)]
        });
        let account = self.account_digest.as_ref().map(|account| (Holder::Account, **account));
        tenant.into_iter().flatten().chain(account)
    }

    fn report(&self, change: impl FnOnce(&SharedUse)) {
        if let Some(shared) = &self.limits().shared {
            change(shared);
        }
    }

    /// Returns the tenant of the session.
    pub(crate) fn tenant(&self) -> Tenant {
        self.installation.publisher.tenant()
    }

    /// Returns the app and the installation of the session.
    pub(crate) fn namespace(&self) -> Namespace<'_> {
        self.installation.namespace()
    }

    /// Returns the key of the session's account; see [`Limits::account`].
    pub(crate) fn account(&self) -> u64 {
        self.account
    }

    /// Returns the digests of the session's installation and account; `None` if this relay is alone.
    pub(crate) fn digests(&self) -> Option<(IdDigest, IdDigest)> {
        Some((self.installation.publisher.digests()?.installation, **self.account_digest.as_ref()?))
    }

    /// Checks a message of `bytes` against the rates of the session's installation and app.
    pub(crate) fn check_publish(&self, bytes: usize, now: Instant) -> Result<(), Refused> {
        self.limits().check_publishes(&self.installation.publisher, 1, bytes, now)
    }

    /// Checks a replay of `bytes` against the rates of the session and its installation.
    pub(crate) fn check_replay(&mut self, bytes: u64, now: Instant) -> Result<(), Refused> {
        // A session in debt may subscribe without a replay.
        if bytes == 0 {
            return Ok(());
        }
        let Installation { limits, publisher, .. } = &*self.installation;
        limits.check_replay(publisher.tenant().installation, &mut self.replays, bytes, now)
    }

    /// Checks a request to enter or watch a presence against the rate of the session.
    pub(crate) fn check_presence(&self, requests: &mut Bucket, now: Instant) -> Result<(), Refused> {
        let (rate, now) = (self.limits().settings().presences(), self.limits().moment(now));
        requests.take(1, rate, now).map_err(|wait| self.limits().refuse_for(Limit::PresenceRate, wait))
    }

    /// Acquires one of the app's subscription permits. The caller releases it with [`Self::release_subscriptions`].
    pub(crate) fn acquire_subscription(&self) -> Result<(), Refused> {
        let max = self.limits().settings().max_subscriptions_per_app;
        if self.limits().subscriptions.try_acquire(self.tenant().app, max) {
            Ok(())
        } else {
            Err(self.limits().refuse(Limit::SubscriptionsPerApp))
        }
    }

    /// Releases `count` of the app's subscription permits.
    pub(crate) fn release_subscriptions(&self, count: usize) {
        if let Ok(count @ 1..) = u32::try_from(count) {
            self.limits().subscriptions.release_many(self.tenant().app, count);
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.limits.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for RefusalPermit {
    fn drop(&mut self) {
        self.0.refusals_in_progress.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for AddressPermit {
    fn drop(&mut self) {
        self.limits.concurrency.release(self.address);
    }
}

impl Drop for SessionPermit {
    fn drop(&mut self) {
        for key in [self.tenant().app, self.tenant().installation, self.account] {
            self.limits().concurrency.release(key);
        }
        self.holders().for_each(|(_, name)| self.report(|shared| shared.own.leave(name)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use sealwire_protocol::Code;

    fn limits(change: fn(&mut Settings)) -> Arc<Limits> {
        let mut settings = Settings::default();
        change(&mut settings);
        Arc::new(Limits::new(settings, Instant::now()))
    }

    #[test]
    fn apps_installations_and_accounts_have_session_limits_and_dropped_permits_are_released() {
        let limits = limits(|limits| {
            limits.max_sessions_per_app = 4;
            limits.max_sessions_per_installation = 3;
            limits.max_sessions_per_account = 2;
        });
        let enter = |app, installation, account| limits.admit_session(app, installation, account);
        let code = |result: Result<SessionPermit, Refused>| result.err().map(|refused| refused.code);
        let mut permits = vec![enter("a", "i", "x").unwrap(), enter("a", "i", "x").unwrap()];
        assert_eq!(code(enter("a", "i", "x")), Some(Code::TooManyConnections));
        assert_eq!(limits.refusals(Limit::SessionsPerAccount), 1);
        permits.push(enter("a", "i", "y").unwrap());
        assert_eq!(code(enter("a", "i", "z")), Some(Code::TooManyConnections));
        // The same account id of another installation is another account.
        permits.push(enter("a", "j", "x").unwrap());
        assert_eq!(code(enter("a", "k", "z")), Some(Code::TooManyConnections));
        assert_eq!(
            [Limit::SessionsPerApp, Limit::SessionsPerInstallation].map(|limit| limits.refusals(limit)),
            [1, 1]
        );
        permits.push(enter("b", "i", "x").unwrap());
        // The refused sessions hold no permits.
        permits.remove(0);
        assert_eq!(
            code(enter("a", "i", "x").map(|permit| permits.push(permit)).and(Ok(permits.remove(0)))),
            None
        );
        permits.clear();
        assert_eq!(limits.concurrency.len(), 0);
    }

    #[test]
    fn ipv6_addresses_of_one_network_share_a_limit() {
        let limits = limits(|limits| limits.max_connections_per_address = 1);
        let enter = |address: &str| limits.admit_address(address.parse().unwrap());
        let _first = enter("2001:db8::1").unwrap();
        assert_eq!(enter("2001:db8::ffff:2").err().unwrap().code, Code::TooManyConnections);
        let _other = enter("2001:db8:0:1::1").unwrap();
        let four = enter("192.0.2.1").unwrap();
        assert!(enter("::ffff:192.0.2.1").is_err() && enter("192.0.2.2").is_ok());
        drop(four);
        assert!(enter("192.0.2.1").is_ok());
        assert_eq!(limits.refusals(Limit::ConnectionsPerAddress), 2);
    }

    #[test]
    fn settings_can_change_while_permits_are_in_use() {
        let limits = limits(|limits| limits.max_connections = 2);
        let permits = [(); 2].map(|()| limits.admit_connection(None).unwrap());
        let refused = limits.admit_connection(None).err().unwrap();
        assert_eq!(refused.code, Code::Overloaded);
        assert!(refused.retry_after_ms() > 0);
        limits.set(Settings { max_connections: 3, ..Settings::default() });
        let third = limits.admit_connection(None).unwrap();
        limits.set(Settings { max_connections: 1, ..Settings::default() });
        assert!(limits.admit_connection(None).is_err());
        let refused: Vec<_> =
            std::iter::repeat_with(|| limits.admit_refusal()).take_while(Option::is_some).collect();
        assert_eq!(refused.len(), MAX_REFUSALS);
        drop((permits, third, refused));
        assert!(limits.admit_refusal().is_some());
        assert_eq!(limits.connections(), 0);
        assert!(limits.admit_connection(None).is_ok());
    }

    #[test]
    fn apps_have_a_subscription_limit_and_released_permits_return() {
        let limits = limits(|limits| limits.max_subscriptions_per_app = 3);
        let enter = |app, installation| limits.admit_session(app, installation, "x").unwrap();
        let (first, second, other) = (enter("a", "i"), enter("a", "j"), enter("b", "i"));
        first.acquire_subscription().unwrap();
        first.acquire_subscription().unwrap();
        second.acquire_subscription().unwrap();
        let refused = second.acquire_subscription().unwrap_err();
        let refusals = limits.refusals(Limit::SubscriptionsPerApp);
        assert_eq!((refused.code, refusals), (Code::TooManySubscriptions, 1));
        assert!(refused.retry_after_ms() > 0);
        other.acquire_subscription().unwrap();
        first.release_subscriptions(1);
        second.acquire_subscription().unwrap();
        first.release_subscriptions(1);
        second.acquire_subscription().unwrap();
        assert!(second.acquire_subscription().is_err());
        second.release_subscriptions(3);
        other.release_subscriptions(1);
        second.release_subscriptions(0);
        assert_eq!(limits.subscriptions.len(), 0);
    }
}
