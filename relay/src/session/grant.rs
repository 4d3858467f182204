//! The claims of a verified session token in a compact form: a relay holds one for every session, and most sessions are
//! idle most of the time.

use crate::auth::{
    access::Namespace,
    signing_keys::{Signed, VerifyingKeyId},
};
use sealwire_protocol::{
    InvalidScope, Scope, UnixSeconds,
    tokens::{Permissions, SessionClaims},
};

/// The number of parts before the context's properties: app, installation, account.
const NAMES: usize = 3;

/// The claims of a session token.
pub(super) struct Grant {
    /// The app, installation and account, then the context's properties and values, concatenated.
    text: Box<str>,
    /// The end of each part in `text`.
    ends: Box<[u16]>,
    pub(super) can: Permissions,
    pub(super) exp: UnixSeconds,
    pub(super) iat: UnixSeconds,
    /// The key that verified the token.
    pub(super) key: VerifyingKeyId,
}

impl Grant {
    pub(super) fn new(Signed { claims, key }: &Signed<SessionClaims>) -> Self {
        let names: [&str; NAMES] = [&claims.iss, &claims.ins, &claims.sub];
        let parts =
            || names.into_iter().chain(claims.ctx.iter().flat_map(|(property, value)| [property, value]));
        let mut text = String::with_capacity(parts().map(str::len).sum());
        let mut ends = Vec::with_capacity(NAMES + 2 * claims.ctx.len());
        for part in parts() {
            text.push_str(part);
            ends.push(u16::try_from(text.len()).expect("the limits of claims add up to less than 8 KiB"));
        }
        Self {
            text: text.into_boxed_str(),
            ends: ends.into_boxed_slice(),
            can: claims.can,
            exp: claims.exp,
            iat: claims.iat,
            key: *key,
        }
    }

    /// Returns the bytes on the heap.
    pub(super) fn footprint(&self) -> usize {
        self.text.len() + size_of_val(&*self.ends)
    }

    pub(super) fn namespace(&self) -> Namespace<'_> {
        Namespace { app: self.part(0), installation: self.part(1) }
    }

    pub(super) fn account(&self) -> &str {
        self.part(2)
    }

    /// Returns the scope of these properties of the context.
    pub(super) fn keep(&self, properties: &[String]) -> Result<Scope, InvalidScope> {
        Scope::keep_of(properties, |property| self.value(property))
    }

    /// Returns the properties of the context with their values.
    pub(super) fn context(&self) -> impl Iterator<Item = (&str, &str)> {
        (NAMES..self.ends.len()).step_by(2).map(|index| (self.part(index), self.part(index + 1)))
    }

    /// Returns the context's value of a property.
    fn value(&self, property: &str) -> Option<&str> {
        self.context().find(|(name, _)| *name == property).map(|(_, value)| value)
    }

    /// Returns whether both have the same app, installation, account and context.
    pub(super) fn has_identity_of(&self, other: &Self) -> bool {
        (&self.text, &self.ends) == (&other.text, &other.ends)
    }

    fn part(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[usize::from(start)..usize::from(self.ends[index])]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(installation: &str, account: &str, context: &[(&str, &str)]) -> Grant {
        let mut scope = Scope::default();
        context.iter().for_each(|(property, value)| scope.insert(property, value).unwrap());
        let (names, times) =
            ((installation.to_owned(), account.to_owned()), (UnixSeconds(1), UnixSeconds(2)));
        let claims = SessionClaims::new("app".into(), names.0, names.1, scope, Permissions::ALL, times);
        Grant::new(&Signed { claims, key: VerifyingKeyId::default() })
    }

    #[test]
    fn a_grant_returns_the_values_of_its_claims() {
        let grant = grant("site", "ålice", &[("module", "absences"), ("dashboard", "10001")]);
        assert_eq!(
            (grant.namespace().app, grant.namespace().installation, grant.account()),
            ("app", "site", "ålice")
        );
        let kept = grant.keep(&["dashboard".to_owned()]).unwrap();
        assert_eq!(kept.iter().collect::<Vec<_>>(), [("dashboard", "10001")]);
        assert_eq!(grant.keep(&["site".to_owned()]), Err(InvalidScope::Unavailable("site".to_owned())));
        assert_eq!(grant.keep(&["10001".to_owned()]), Err(InvalidScope::Unavailable("10001".to_owned())));
    }

    #[test]
    fn grants_with_equal_texts_but_other_parts_have_different_identities() {
        assert!(grant("ab", "c", &[]).has_identity_of(&grant("ab", "c", &[])));
        assert!(!grant("ab", "c", &[]).has_identity_of(&grant("a", "bc", &[])));
        assert!(!grant("a", "b", &[("p", "vw")]).has_identity_of(&grant("a", "b", &[("pv", "w")])));
    }
}
