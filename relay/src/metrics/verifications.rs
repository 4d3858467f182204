//! Counters of token verifications by kind of token and result.

use sealwire_protocol::tokens::{BackendClaims, ChannelClaims, Claims, SessionClaims};
use std::sync::atomic::{AtomicU64, Ordering};

const KINDS: [&str; 3] = [SessionClaims::AUDIENCE, ChannelClaims::AUDIENCE, BackendClaims::AUDIENCE];

#[derive(Debug, Default)]
pub(crate) struct Verifications([[AtomicU64; 2]; KINDS.len()]);

impl Verifications {
    pub(crate) fn add<C: Claims>(&self, is_valid: bool) {
        if let Some(kind) = KINDS.iter().position(|audience| *audience == C::AUDIENCE) {
            self.0[kind][usize::from(is_valid)].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Every combination of kind and result, with its count.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        KINDS.iter().zip(&self.0).flat_map(|(audience, counts)| {
            let kind = audience.trim_start_matches("sealwire:");
            let counts = counts.each_ref().map(|count| count.load(Ordering::Relaxed));
            [(kind, "refused", counts[0]), (kind, "accepted", counts[1])]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifications_are_counted_by_kind_and_result() {
        let verifications = Verifications::default();
        verifications.add::<ChannelClaims>(true);
        verifications.add::<ChannelClaims>(true);
        verifications.add::<BackendClaims>(false);
        let counted: Vec<_> = verifications.iter().filter(|(.., count)| *count > 0).collect();
        assert_eq!(counted, [("channel", "accepted", 2), ("backend", "refused", 1)]);
    }
}
