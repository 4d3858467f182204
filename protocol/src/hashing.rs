//! The input format of hashes and key derivations. A length precedes every variable part, so two different lists of
//! parts never give the same input.

use sha2::{Digest, Sha256};

/// Collects the parts of an input.
pub(crate) trait Parts {
    fn bytes(&mut self, bytes: &[u8]);

    fn u32(&mut self, value: usize) {
        let value = u32::try_from(value).expect("hash inputs are bounded by the limits, far below 4 GiB");
        self.bytes(&value.to_be_bytes());
    }

    /// Adds the length of `part` as a big-endian u32, then its bytes.
    fn length_prefixed(&mut self, part: impl AsRef<[u8]>) {
        self.u32(part.as_ref().len());
        self.bytes(part.as_ref());
    }
}

impl Parts for Sha256 {
    fn bytes(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

#[cfg(feature = "sealing")]
impl Parts for alloc::vec::Vec<u8> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}
