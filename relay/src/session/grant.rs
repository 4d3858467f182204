//! The claims of a verified session token in a compact form: a relay holds one for every session, and most sessions are
//! idle most of the time.

use crate::auth::signing_keys::{Signed, VerifyingKeyId};
use sealwire_protocol::{
    InvalidScope, Scope, UnixSeconds,
    tokens::{Permissions, SessionClaims},
};

/// The claims of a session token, without its app and installation, which its permit names.
pub(super) struct Grant {
    /// The account, then the context's properties and values. The length of each part precedes it, in two bytes.
    parts: Box<[u8]>,
    pub(super) can: Permissions,
    pub(super) exp: UnixSeconds,
    pub(super) iat: UnixSeconds,
    /// The key that verified the token.
    pub(super) key: VerifyingKeyId,
}

impl Grant {
    pub(super) fn new(Signed { claims, key }: &Signed<SessionClaims>) -> Self {
        let context = || claims.ctx.iter().flat_map(|(property, value)| [property, value]);
        let texts = || std::iter::once(&*claims.sub).chain(context());
        let mut parts = Vec::with_capacity(texts().map(|text| size_of::<u16>() + text.len()).sum());
        for text in texts() {
            let len = u16::try_from(text.len()).expect("the limits of claims add up to less than 8 KiB");
            parts.extend_from_slice(&len.to_ne_bytes());
            parts.extend_from_slice(text.as_bytes());
        }
        Self { parts: parts.into_boxed_slice(), can: claims.can, exp: claims.exp, iat: claims.iat, key: *key }
    }

    /// Returns the bytes on the heap.
    pub(super) fn footprint(&self) -> usize {
        self.parts.len()
    }

    pub(super) fn account(&self) -> &str {
        self.parts().next().map_or("", text)
    }

    /// Returns the scope of these properties of the context.
    pub(super) fn keep(&self, properties: &[String]) -> Result<Scope, InvalidScope> {
        Scope::keep_of(properties, |property| self.value(property))
    }

    /// Returns the properties of the context with their values.
    pub(super) fn context(&self) -> impl Iterator<Item = (&str, &str)> {
        self.properties().map(|(property, value)| (text(property), text(value)))
    }

    /// Returns the context's value of a property.
    fn value(&self, property: &str) -> Option<&str> {
        // The names are compared as bytes, because checking that each of them is UTF-8 costs more.
        self.properties().find(|(name, _)| *name == property.as_bytes()).map(|(_, value)| text(value))
    }

    /// Returns whether both have the same account and context.
    pub(super) fn has_identity_of(&self, other: &Self) -> bool {
        self.parts == other.parts
    }

    fn properties(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut parts = self.parts();
        parts.next();
        std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
    }

    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &*self.parts;
        std::iter::from_fn(move || {
            let (len, after) = rest.split_first_chunk()?;
            let (part, after) = after.split_at_checked(usize::from(u16::from_ne_bytes(*len)))?;
            rest = after;
            Some(part)
        })
    }
}

/// Converts a part back.
fn text(part: &[u8]) -> &str {
    std::str::from_utf8(part).expect("every part was a text")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(account: &str, context: &[(&str, &str)]) -> Grant {
        let mut scope = Scope::default();
        context.iter().for_each(|(property, value)| scope.insert(property, value).unwrap());
        let times = (UnixSeconds(1), UnixSeconds(2));
        let account = account.to_owned();
        let claims = SessionClaims::new("app".into(), "site".into(), account, scope, Permissions::ALL, times);
        Grant::new(&Signed { claims, key: VerifyingKeyId::default() })
    }

    #[test]
    fn a_grant_returns_the_values_of_its_claims() {
        let grant = grant("ålice", &[("module", "absences"), ("dashboard", "10001")]);
        assert_eq!(grant.account(), "ålice");
        let kept = grant.keep(&["dashboard".to_owned()]).unwrap();
        assert_eq!(kept.iter().collect::<Vec<_>>(), [("dashboard", "10001")]);
        assert_eq!(grant.keep(&["site".to_owned()]), Err(InvalidScope::Unavailable("site".to_owned())));
        assert_eq!(grant.keep(&["10001".to_owned()]), Err(InvalidScope::Unavailable("10001".to_owned())));
    }

    #[test]
    fn grants_with_equal_texts_but_other_parts_have_different_identities() {
        assert!(grant("ab", &[]).has_identity_of(&grant("ab", &[])));
        assert!(!grant("ab", &[]).has_identity_of(&grant("a", &[])));
        assert!(!grant("a", &[("p", "vw")]).has_identity_of(&grant("a", &[("pv", "w")])));
    }
}
