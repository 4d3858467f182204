//! Attacks that ask for more than their share. The first word of an attack's name says which file it belongs to:
//!
//! | name | file | the attacker … | the relay must … |
//! | --- | --- | --- | --- |
//! | `flood-` | `floods` | exceeds a limit | refuse with the limit's code, and serve everybody else |
//! | `resources-` | `resources` | occupies memory or connections at next to no cost | stay within a fixed amount of memory, and disconnect at a deadline |
//! | `greed-` | `greed` | breaks no rule, and takes all it can get | serve other sessions in between |
//! | `exhaust-` | `exhaustion` | repeats one request for seconds, alone and beside all others | keep its latency, its memory budget and its shutdown deadline |
//!
//! The first three run on the relay that all attacks share. `greed-` runs a second time with all rates out of reach, and
//! `exhaust-` has a relay with a small memory budget and a log that nothing reads.

pub(crate) mod exhaustion;
mod floods;
mod greed;
mod resources;

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    [floods::CASES, resources::CASES, greed::CASES].concat()
}
