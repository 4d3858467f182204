//! A counter that many threads add to without sharing a cache line. A scrape sums it up.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

const STRIPES: usize = 16;

/// The alignment is two cache lines, because processors fetch lines in pairs.
#[repr(align(128))]
#[derive(Default)]
struct Stripe(AtomicU64);

#[derive(Default)]
pub(crate) struct Striped([Stripe; STRIPES]);

thread_local! {
    /// The index of the thread's stripe.
    static STRIPE: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES
    };
}

impl Striped {
    pub(crate) fn add(&self, count: usize) {
        if count > 0 {
            let stripe = STRIPE.with(|stripe| *stripe);
            self.0[stripe].0.fetch_add(count as u64, Ordering::Relaxed);
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.iter().map(|stripe| stripe.0.load(Ordering::Relaxed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_additions_of_all_threads_are_summed() {
        let counter = Striped::default();
        std::thread::scope(|scope| {
            for _ in 0..2 * STRIPES {
                scope.spawn(|| (0..1000).for_each(|_| counter.add(3)));
            }
        });
        assert_eq!(counter.total(), 2 * STRIPES as u64 * 3000);
    }
}
