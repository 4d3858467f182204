//! One counter per protocol code.

use sealwire_protocol::Code;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) struct ByCode(Box<[AtomicU64]>);

impl Default for ByCode {
    fn default() -> Self {
        Self(Code::ALL.iter().map(|_| AtomicU64::new(0)).collect())
    }
}

impl ByCode {
    pub(crate) fn add(&self, code: Code) {
        if let Ok(index) = Code::ALL.binary_search_by_key(&code.number(), |known| known.number()) {
            self.0[index].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Every code with its count. Zeros are included, so that Prometheus can compute a rate from the first event on.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Code, u64)> {
        Code::ALL.iter().zip(&self.0).map(|(code, count)| (*code, count.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_own_counter() {
        let counts = ByCode::default();
        for (times, code) in Code::ALL.iter().enumerate() {
            (0..times).for_each(|_| counts.add(*code));
        }
        for (index, (code, count)) in counts.iter().enumerate() {
            assert_eq!((code, count), (Code::ALL[index], index as u64));
        }
    }
}
