//! Randomness, passed in: nonces, idempotency ids and jitter.

/// A source of random bytes. It must be cryptographically secure outside tests, since nonces come from it.
pub trait Entropy {
    /// Fills `bytes`.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// `N` random bytes.
pub(crate) fn array<const N: usize>(entropy: &mut dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// A number below `bound`, for jitter: the bias of the remainder does not matter there.
pub(crate) fn below(entropy: &mut dyn Entropy, bound: u64) -> u64 {
    u64::from_le_bytes(array(entropy)) % bound.max(1)
}
