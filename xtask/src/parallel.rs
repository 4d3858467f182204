//! Runs two tasks at the same time.

use std::{panic, thread};

use anyhow::Result;

/// Runs both tasks at the same time and returns their results, or an error after both have ended.
pub(crate) fn both<A: Send, B>(
    first: impl FnOnce() -> Result<A> + Send,
    second: impl FnOnce() -> Result<B>,
) -> Result<(A, B)> {
    thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        let first = first.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
        Ok((first?, second?))
    })
}
