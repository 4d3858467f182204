//! Permits that are taken and given back: one for every connection, one for every session.

use super::{Limit, Limits, bucket::Bucket};
use crate::{proxies::client_network, refused::Refused, tenant::Tenant};
use std::{
    hash::BuildHasher as _,
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

/// Most connections that are told at one time why they have no permit; further ones are closed without a word.
const MAX_REFUSALS: usize = 64;

/// A connection's permit among all, and among those of its address where that is known.
pub(crate) struct Admission {
    limits: Arc<Limits>,
    _address: Option<AddressPermit>,
}

/// A permit among the few that are told why there is none.
pub(crate) struct RefusalPermit(Arc<Limits>);

/// A permit among those of a client's address.
pub(crate) struct AddressPermit {
    limits: Arc<Limits>,
    address: u64,
}

/// A session's permit among those of its app, installation and account.
pub(crate) struct SessionPermit {
    limits: Arc<Limits>,
    tenant: Tenant,
    account: u64,
    replays: Bucket,
}

impl Limits {
    /// A permit for one more connection, whose address is only known where no proxy is in between.
    pub(crate) fn admit_connection(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Admission, Refused> {
        let taken = self.connections.fetch_add(1, Ordering::Relaxed);
        let mut admission = Admission { limits: self.clone(), _address: None };
        if taken >= self.settings().max_connections {
            return Err(self.refuse(Limit::Connections));
        }
        admission._address = address.map(|address| self.admit_address(address)).transpose()?;
        Ok(admission)
    }

    /// Whether one more connection that found no permit can be told so; a flood of them is not.
    pub(crate) fn admit_refusal(self: &Arc<Self>) -> Option<RefusalPermit> {
        let permit = RefusalPermit(self.clone());
        (self.being_refused.fetch_add(1, Ordering::Relaxed) < MAX_REFUSALS).then_some(permit)
    }

    /// A permit for one more connection from this address.
    pub(crate) fn admit_address(self: &Arc<Self>, address: IpAddr) -> Result<AddressPermit, Refused> {
        let address = self.keys.hash_one(("address", client_network(address)));
        if self.occupancy.enter(address, self.settings().max_connections_per_address) {
            Ok(AddressPermit { limits: self.clone(), address })
        } else {
            Err(self.refuse(Limit::ConnectionsPerAddress))
        }
    }

    /// A permit for one more session.
    pub(crate) fn admit_session(
        self: &Arc<Self>,
        app: &str,
        installation: &str,
        account: &str,
    ) -> Result<SessionPermit, Refused> {
        let (settings, tenant) = (self.settings(), self.tenant(app, installation));
        let account = self.account(app, installation, account);
        let permits = [
            (Limit::SessionsPerApp, tenant.app, settings.max_sessions_per_app),
            (Limit::SessionsPerInstallation, tenant.installation, settings.max_sessions_per_installation),
            (Limit::SessionsPerAccount, account, settings.max_sessions_per_account),
        ];
        for (index, (limit, key, most)) in permits.into_iter().enumerate() {
            if !self.occupancy.enter(key, most) {
                permits[..index].iter().for_each(|(_, key, _)| self.occupancy.leave(*key));
                return Err(self.refuse(limit));
            }
        }
        let (limits, replays) = (self.clone(), Bucket::default());
        Ok(SessionPermit { limits, tenant, account, replays })
    }
}

impl SessionPermit {
    /// The tenant of the session.
    pub(crate) fn tenant(&self) -> Tenant {
        self.tenant
    }

    /// The key of the session's account; see [`Limits::account`].
    pub(crate) fn account(&self) -> u64 {
        self.account
    }

    /// Refuses one more message of so many bytes past a rate of the session's installation or app.
    pub(crate) fn check_publish(&self, bytes: usize, now: Instant) -> Result<(), Refused> {
        self.limits.check_publishes(self.tenant, 1, bytes, now)
    }

    /// Refuses a replay of so many bytes past a rate of the session or its installation.
    pub(crate) fn check_replay(&mut self, bytes: u64, now: Instant) -> Result<(), Refused> {
        // A session in debt may still subscribe without a replay.
        if bytes == 0 {
            return Ok(());
        }
        self.limits.check_replay(self.tenant.installation, &mut self.replays, bytes, now)
    }

    /// Takes a permit among the subscriptions of the app; [`Self::give_back_subscriptions`] follows.
    pub(crate) fn take_subscription(&self) -> Result<(), Refused> {
        let most = self.limits.settings().max_subscriptions_per_app;
        if self.limits.subscriptions.enter(self.tenant.app, most) {
            Ok(())
        } else {
            Err(self.limits.refuse(Limit::SubscriptionsPerApp))
        }
    }

    /// Gives so many of these permits back.
    pub(crate) fn give_back_subscriptions(&self, count: usize) {
        if let Ok(count @ 1..) = u32::try_from(count) {
            self.limits.subscriptions.leave_many(self.tenant.app, count);
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
        self.0.being_refused.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for AddressPermit {
    fn drop(&mut self) {
        self.limits.occupancy.leave(self.address);
    }
}

impl Drop for SessionPermit {
    fn drop(&mut self) {
        for key in [self.tenant.app, self.tenant.installation, self.account] {
            self.limits.occupancy.leave(key);
        }
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
    fn apps_installations_and_accounts_have_so_many_sessions_each_and_get_them_back() {
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
        // The same account elsewhere is another.
        permits.push(enter("a", "j", "x").unwrap());
        assert_eq!(code(enter("a", "k", "z")), Some(Code::TooManyConnections));
        assert_eq!(
            [Limit::SessionsPerApp, Limit::SessionsPerInstallation].map(|limit| limits.refusals(limit)),
            [1, 1]
        );
        permits.push(enter("b", "i", "x").unwrap());
        // Those who were refused took nothing.
        permits.remove(0);
        assert_eq!(
            code(enter("a", "i", "x").map(|permit| permits.push(permit)).and(Ok(permits.remove(0)))),
            None
        );
        permits.clear();
        assert_eq!(limits.occupancy.len(), 0);
    }

    #[test]
    fn an_address_is_a_network_where_it_is_of_ipv6() {
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
    fn settings_can_change_while_places_are_taken() {
        let limits = limits(|limits| limits.max_connections = 2);
        let permits = [(); 2].map(|()| limits.admit_connection(None).unwrap());
        let refused = limits.admit_connection(None).err().unwrap();
        assert_eq!(refused.code, Code::Overloaded);
        assert!(refused.retry_after_ms() > 0);
        limits.set(Settings { max_connections: 3, ..Settings::default() });
        let third = limits.admit_connection(None).unwrap();
        limits.set(Settings { max_connections: 1, ..Settings::default() });
        assert!(limits.admit_connection(None).is_err());
        let told: Vec<_> =
            std::iter::repeat_with(|| limits.admit_refusal()).take_while(Option::is_some).collect();
        assert_eq!(told.len(), MAX_REFUSALS);
        drop((permits, third, told));
        assert!(limits.admit_refusal().is_some());
        assert_eq!(limits.connections(), 0);
        assert!(limits.admit_connection(None).is_ok());
    }

    #[test]
    fn an_app_has_so_many_subscriptions_and_gets_them_back() {
        let limits = limits(|limits| limits.max_subscriptions_per_app = 3);
        let enter = |app, installation| limits.admit_session(app, installation, "x").unwrap();
        let (first, second, other) = (enter("a", "i"), enter("a", "j"), enter("b", "i"));
        first.take_subscription().unwrap();
        first.take_subscription().unwrap();
        second.take_subscription().unwrap();
        let refused = second.take_subscription().unwrap_err();
        let refusals = limits.refusals(Limit::SubscriptionsPerApp);
        assert_eq!((refused.code, refusals), (Code::TooManySubscriptions, 1));
        assert!(refused.retry_after_ms() > 0);
        other.take_subscription().unwrap();
        first.give_back_subscriptions(1);
        second.take_subscription().unwrap();
        first.give_back_subscriptions(1);
        second.take_subscription().unwrap();
        assert!(second.take_subscription().is_err());
        second.give_back_subscriptions(3);
        other.give_back_subscriptions(1);
        second.give_back_subscriptions(0);
        assert_eq!(limits.subscriptions.len(), 0);
    }
}
