//! The signing keys in force, which a reload replaces. Each key has a process-unique [`VerifyingKeyId`]. Sessions keep it,
//! so that removing a key ends the sessions that it authenticated.

mod clock_skew;

use crate::metrics::Verifications;
use arc_swap::ArcSwap;
use clock_skew::ClockSkews;
use sealwire_protocol::{
    UnixSeconds, limits,
    tokens::{self, Claims, Keyring, TokenError},
};
use std::{collections::BTreeMap, sync::Arc};

/// The id of the key that signed a token. Ids are never reused in one run of the relay, even if a `kid` returns with
/// another secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct VerifyingKeyId(u32);

/// The claims of a verified token, and the key that verified it.
#[derive(Clone)]
pub(crate) struct Signed<C> {
    pub(crate) claims: C,
    pub(crate) key: VerifyingKeyId,
}

/// The signing keys of all apps.
#[derive(Debug)]
pub struct SigningKeys {
    table: ArcSwap<KeyTable>,
    verifications: Verifications,
    skews: ClockSkews,
}

#[derive(Debug, Default)]
struct KeyTable {
    keyring: Keyring,
    /// The ids by `kid`.
    ids: BTreeMap<String, VerifyingKeyId>,
    /// The last id that was assigned.
    last_id: u32,
}

/// The `kid`s that a replacement of the keys changed. A `kid` with another secret counts as removed and added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyChanges {
    /// The `kid`s of new keys.
    pub added: Vec<String>,
    /// The `kid`s of keys that are no longer valid.
    pub removed: Vec<String>,
}

impl SigningKeys {
    /// Creates the table with the keys of the configuration.
    #[must_use]
    pub fn new(keyring: Keyring) -> Self {
        let table = ArcSwap::default();
        let keys = Self { table, verifications: Verifications::default(), skews: ClockSkews::default() };
        keys.replace(keyring);
        keys
    }

    /// Replaces all keys. Tokens of other keys are invalid from now on.
    pub fn replace(&self, keyring: Keyring) -> KeyChanges {
        let before = self.table.load();
        let (mut ids, mut last_id, mut changes) = (BTreeMap::new(), before.last_id, KeyChanges::default());
        for (kid, _) in keyring.iter() {
            let id = before.unchanged_id(kid, &keyring).unwrap_or_else(|| {
                changes.added.push(kid.to_owned());
                last_id += 1;
                VerifyingKeyId(last_id)
            });
            ids.insert(kid.to_owned(), id);
        }
        let removed = before.ids.iter().filter(|(kid, id)| ids.get(*kid) != Some(*id));
        changes.removed = removed.map(|(kid, _)| kid.clone()).collect();
        self.table.store(Arc::new(KeyTable { keyring, ids, last_id }));
        changes
    }

    pub(crate) fn verify<C: Claims>(&self, token: &str, now: UnixSeconds) -> Result<Signed<C>, TokenError> {
        let verified = self.table.load().verify::<C>(token, now);
        self.verifications.add::<C>(verified.is_ok());
        if let Ok(Signed { claims, .. }) = &verified {
            self.skews.record(claims.app(), claims.issued_at(), now);
        }
        verified
    }

    /// The largest number of seconds by which a token of the app was dated ahead of the relay's clock in the last two hours.
    pub(crate) fn clock_skew(&self, app: &str, now: UnixSeconds) -> u64 {
        self.skews.of(app, now)
    }

    /// Returns a value that differs after every change of the keys.
    pub(crate) fn version(&self) -> (u32, usize) {
        let table = self.table.load();
        (table.last_id, table.ids.len())
    }

    /// Tags a record of an app for other relays, under its first `max` keys: a relay that has not all of them yet, or no
    /// longer, accepts any.
    pub(crate) fn tags(
        &self,
        app: &str,
        purpose: &str,
        record: &[u8],
        max: usize,
    ) -> Vec<(String, [u8; limits::TAG])> {
        let table = self.table.load();
        let kids = table.keyring.iter().filter(|(_, owner)| *owner == app).map(|(kid, _)| kid);
        let tag = |kid: &str| Some((kid.to_owned(), table.keyring.find(kid)?.1.tag(purpose, record)));
        kids.take(max).filter_map(tag).collect()
    }

    /// Returns the app whose key `kid` made the tag of a record.
    pub(crate) fn tagged_by(&self, kid: &str, purpose: &str, record: &[u8], tag: &[u8]) -> Option<String> {
        let table = self.table.load();
        let (app, key) = table.keyring.find(kid)?;
        key.has_tag(purpose, record, tag).then(|| app.to_owned())
    }

    /// The number of keys in force.
    pub(crate) fn count(&self) -> usize {
        self.table.load().ids.len()
    }

    /// Returns whether an app has a key.
    pub(crate) fn has_app(&self, app: &str) -> bool {
        self.table.load().keyring.iter().any(|(_, owner)| owner == app)
    }

    /// Returns the app that all keys belong to, if there is only one.
    pub(crate) fn only_app(&self) -> Option<String> {
        let table = self.table.load();
        let mut owners = table.keyring.iter().map(|(_, owner)| owner);
        let first = owners.next()?;
        owners.all(|owner| owner == first).then(|| first.to_owned())
    }

    /// The counters of verified and refused tokens.
    pub(crate) fn verifications(&self) -> &Verifications {
        &self.verifications
    }

    /// True if the key is still in force.
    pub(crate) fn has(&self, id: VerifyingKeyId) -> bool {
        self.table.load().ids.values().any(|known| *known == id)
    }
}

impl KeyTable {
    fn verify<C: Claims>(&self, token: &str, now: UnixSeconds) -> Result<Signed<C>, TokenError> {
        let (claims, key) = tokens::verify_with_signer(token, &self.keyring, now)?;
        let key = *self.ids.get(key.id()).ok_or(TokenError::UnknownKey)?;
        Ok(Signed { claims, key })
    }

    /// The id of a key that the other keyring contains unchanged.
    fn unchanged_id(&self, kid: &str, other: &Keyring) -> Option<VerifyingKeyId> {
        let ((app, key), (other_app, other_key)) = (self.keyring.find(kid)?, other.find(kid)?);
        let is_unchanged = app == other_app && key.is_same_as(other_key);
        self.ids.get(kid).copied().filter(|_| is_unchanged)
    }
}

#[cfg(test)]
impl SigningKeys {
    /// Returns keys of these apps with these kids. The kid decides the secret.
    pub(crate) fn of_kids(known: &[(&str, &str)]) -> Self {
        let mut keyring = Keyring::default();
        for (app, kid) in known {
            let secret = kid.bytes().cycle().take(64).collect();
            keyring.insert(app, tokens::SigningKey::new(kid, secret).unwrap()).unwrap();
        }
        Self::new(keyring)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwire_protocol::tokens::SigningKey;

    fn keyring(keys: &[(&str, &str, u8)]) -> Keyring {
        let mut keyring = Keyring::default();
        for (app, kid, byte) in keys {
            keyring.insert(app, SigningKey::new(kid, vec![*byte; 64]).unwrap()).unwrap();
        }
        keyring
    }

    fn id(keys: &SigningKeys, kid: &str) -> VerifyingKeyId {
        keys.table.load().ids[kid]
    }

    #[test]
    fn a_key_keeps_its_id_as_long_as_its_app_and_secret_stay_the_same() {
        let keys = SigningKeys::new(keyring(&[("app", "a", 1), ("app", "b", 2)]));
        let (a, b) = (id(&keys, "a"), id(&keys, "b"));
        assert_ne!(a, b);
        let changes = keys.replace(keyring(&[("app", "a", 1), ("app", "c", 3)]));
        assert_eq!(changes, KeyChanges { added: vec!["c".into()], removed: vec!["b".into()] });
        assert!(keys.has(a) && !keys.has(b));
        // A kid that returns, with the same or another secret or app, does not revalidate the removed key's sessions.
        for again in [("app", "b", 2), ("app", "b", 9), ("other", "b", 9)] {
            let before = keys.has(id(&keys, "a"));
            let changes = keys.replace(keyring(&[("app", "a", 1), again]));
            assert_eq!((changes.added, before), (vec!["b".to_owned()], true));
            assert!(!keys.has(b));
        }
    }
}
