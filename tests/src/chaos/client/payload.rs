//! The payload of a message: its number and a filling of a random length.

use crate::chaos::random::Random;

/// The maximum number of characters of the filling.
const MAX_FILLING: u64 = 1_500;

/// Returns the payload of a message as JSON text.
pub(super) fn write(message: usize, random: &mut Random) -> String {
    let filling = usize::try_from(random.within(0..MAX_FILLING)).unwrap_or_default();
    format!("[{message},\"{}\"]", "x".repeat(filling))
}

/// Returns the number of a message from its payload.
pub(super) fn read(payload: &str) -> Option<usize> {
    payload.strip_prefix('[')?.split(',').next()?.parse().ok()
}
