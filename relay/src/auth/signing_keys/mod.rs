//! The signing keys in force. A reload replaces them; each key has a number, by which those whom it let in are known.

mod leads;

use crate::metrics::Verifications;
use arc_swap::ArcSwap;
use leads::Leads;
use sealwire_protocol::{
    UnixSeconds,
    tokens::{self, Claims, Keyring, TokenError},
};
use std::{collections::BTreeMap, sync::Arc};

/// Which key signed a token. Never used for two keys in one run of a relay, also where a `kid` comes back with another
/// secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct VerifyingKeyId(u32);

/// The claims of a verified token, and which key vouched for them.
pub(crate) struct Signed<C> {
    pub(crate) claims: C,
    pub(crate) key: VerifyingKeyId,
}

/// The signing keys of all apps.
#[derive(Debug)]
pub struct SigningKeys {
    table: ArcSwap<Table>,
    verifications: Verifications,
    leads: Leads,
}

#[derive(Debug, Default)]
struct Table {
    keyring: Keyring,
    /// By `kid`.
    numbers: BTreeMap<String, VerifyingKeyId>,
    next: u32,
}

/// What a replacement of the keys changed: the `kid`s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyChanges {
    /// New ones.
    pub added: Vec<String>,
    /// Those that are gone; a `kid` with another secret is gone and new.
    pub removed: Vec<String>,
}

impl SigningKeys {
    /// The keys of a relay that starts.
    #[must_use]
    pub fn new(keyring: Keyring) -> Self {
        let table = ArcSwap::default();
        let keys = Self { table, verifications: Verifications::default(), leads: Leads::default() };
        keys.replace(keyring);
        keys
    }

    /// From now on only these are valid.
    pub fn replace(&self, keyring: Keyring) -> KeyChanges {
        let before = self.table.load();
        let (mut numbers, mut next, mut changes) = (BTreeMap::new(), before.next, KeyChanges::default());
        for (kid, _) in keyring.iter() {
            let number = before.number_of(kid, &keyring).unwrap_or_else(|| {
                changes.added.push(kid.to_owned());
                next += 1;
                VerifyingKeyId(next)
            });
            numbers.insert(kid.to_owned(), number);
        }
        let gone = before.numbers.iter().filter(|(kid, number)| numbers.get(*kid) != Some(*number));
        changes.removed = gone.map(|(kid, _)| kid.clone()).collect();
        self.table.store(Arc::new(Table { keyring, numbers, next }));
        changes
    }

    pub(crate) fn verify<C: Claims>(&self, token: &str, now: UnixSeconds) -> Result<Signed<C>, TokenError> {
        let verified = self.table.load().verify::<C>(token, now);
        self.verifications.add::<C>(verified.is_ok());
        if let Ok(Signed { claims, .. }) = &verified {
            self.leads.note(claims.app(), claims.issued_at(), now);
        }
        verified
    }

    /// The most seconds by which a token of the app was dated ahead of the relay's clock in the last hours.
    pub(crate) fn lead(&self, app: &str, now: UnixSeconds) -> u64 {
        self.leads.of(app, now)
    }

    /// How many tokens there were so far.
    pub(crate) fn verifications(&self) -> &Verifications {
        &self.verifications
    }

    /// Whether the key is still in force.
    pub(crate) fn has(&self, number: VerifyingKeyId) -> bool {
        self.table.load().numbers.values().any(|known| *known == number)
    }
}

impl Table {
    fn verify<C: Claims>(&self, token: &str, now: UnixSeconds) -> Result<Signed<C>, TokenError> {
        let (claims, key) = tokens::verify_with_signer(token, &self.keyring, now)?;
        let key = *self.numbers.get(key.id()).ok_or(TokenError::UnknownKey)?;
        Ok(Signed { claims, key })
    }

    /// The number of a key that stands in the other keyring unchanged.
    fn number_of(&self, kid: &str, other: &Keyring) -> Option<VerifyingKeyId> {
        let ((app, key), (other_app, other_key)) = (self.keyring.find(kid)?, other.find(kid)?);
        let is_known = app == other_app && key.is_same_as(other_key);
        self.numbers.get(kid).copied().filter(|_| is_known)
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

    fn number(keys: &SigningKeys, kid: &str) -> VerifyingKeyId {
        keys.table.load().numbers[kid]
    }

    #[test]
    fn a_key_keeps_its_number_for_as_long_as_it_is_the_same_key() {
        let keys = SigningKeys::new(keyring(&[("app", "a", 1), ("app", "b", 2)]));
        let (a, b) = (number(&keys, "a"), number(&keys, "b"));
        assert_ne!(a, b);
        let changes = keys.replace(keyring(&[("app", "a", 1), ("app", "c", 3)]));
        assert_eq!(changes, KeyChanges { added: vec!["c".into()], removed: vec!["b".into()] });
        assert!(keys.has(a) && !keys.has(b));
        // Neither a kid that comes back nor one that changes its secret or app revives what the former key signed.
        for again in [("app", "b", 2), ("app", "b", 9), ("other", "b", 9)] {
            let before = keys.has(number(&keys, "a"));
            let changes = keys.replace(keyring(&[("app", "a", 1), again]));
            assert_eq!((changes.added, before), (vec!["b".to_owned()], true));
            assert!(!keys.has(b));
        }
    }
}
