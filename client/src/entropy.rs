//! Randomness, passed in by the shell: nonces, idempotency ids and jitter.

/// A source of random bytes. Nonces come from it, so it must be cryptographically secure outside tests.
pub trait Entropy: Send {
    /// Fills `bytes` with random bytes.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// Returns `N` random bytes.
pub(crate) fn array<const N: usize>(entropy: &mut dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// Returns a number below `bound`, for jitter. The remainder has a small bias, which does not matter for that purpose.
pub(crate) fn below(entropy: &mut dyn Entropy, bound: u64) -> u64 {
    u64::from_le_bytes(array(entropy)) % bound.max(1)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns the same byte for ever.
    pub(crate) struct Constant(pub(crate) u8);

    impl Entropy for Constant {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }
}
