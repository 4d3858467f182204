//! The times of a token's renewal, for session tokens and channel tokens alike.

use crate::{
    ClientError,
    entropy::{Entropy, below},
};

/// The shortest wait before a renewal. A relay that calls every token expired must not make a page call the app's backend
/// without a pause.
const MIN_RENEWAL_WAIT_MS: u64 = 1_000;

/// Returns the wait before the renewal of a token: 70 to 85 % of its remaining time, but at least one second.
pub(crate) fn renewal_wait(remaining_ms: u64, entropy: &mut dyn Entropy) -> u64 {
    let wait = remaining_ms / 100 * 70 + below(entropy, remaining_ms / 100 * 15 + 1);
    wait.max(MIN_RENEWAL_WAIT_MS)
}

/// Returns the wait before the retry of a failed renewal: a quarter of the remaining time within 1 to 30 s, plus jitter, and
/// no less than the wait that `error` requests.
pub(crate) fn retry_wait(remaining_ms: u64, error: &ClientError, entropy: &mut dyn Entropy) -> u64 {
    let wait = (remaining_ms / 4).clamp(1_000, 30_000);
    let wait = wait + below(entropy, wait / 4 + 1);
    wait.max(u64::from(error.retry_after_ms.unwrap_or(0)))
}
