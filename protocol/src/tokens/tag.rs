//! Authentication tags between relays: they share an app's signing key, so a tag under it proves that a relay wrote a record.

use super::SigningKey;
use crate::limits;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha512;

impl SigningKey {
    /// Computes the HMAC-SHA-512 of a record. `purpose` separates kinds of records; it must contain a space, which no
    /// signed token does, so that a tag is never the signature of a token.
    #[must_use]
    pub fn tag(&self, purpose: &str, record: &[u8]) -> [u8; limits::TAG] {
        self.mac(purpose, record).finalize().into_bytes().into()
    }

    /// Returns whether `tag` is the tag of the record. The comparison takes constant time.
    #[must_use]
    pub fn has_tag(&self, purpose: &str, record: &[u8], tag: &[u8]) -> bool {
        self.mac(purpose, record).verify_slice(tag).is_ok()
    }

    fn mac(&self, purpose: &str, record: &[u8]) -> Hmac<Sha512> {
        let mut mac = Hmac::<Sha512>::new_from_slice(self.secret()).expect("HMAC takes keys of any length");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(record);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_valid_for_its_key_purpose_and_record_only() {
        let key = |byte| SigningKey::new("kid", alloc::vec![byte; 64]).unwrap();
        let tag = key(1).tag("a purpose", b"record");
        assert!(key(1).has_tag("a purpose", b"record", &tag));
        assert!(!key(2).has_tag("a purpose", b"record", &tag));
        assert!(!key(1).has_tag("other purpose", b"record", &tag));
        assert!(!key(1).has_tag("a purpose", b"records", &tag));
        assert!(!key(1).has_tag("a purpose", b"record", &tag[..63]));
        assert!(!key(1).has_tag("a purpose", b"record", &[]));
    }
}
