//! The description of one attack.

use crate::target::Target;

/// An attack on the relay that all attacks share. Its name is listed in docs/security.md.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Panics if the relay does not withstand the attack.
    pub(crate) attack: fn(&Target),
    /// True if the attack waits for a deadline of the relay. Slow attacks run at the same time as the others.
    pub(crate) is_slow: bool,
}

/// An attack that ends as soon as the relay has answered.
pub(crate) const fn case(name: &'static str, attack: fn(&Target)) -> Case {
    Case { name, attack, is_slow: false }
}

/// An attack that waits for a deadline of the relay, and does not measure its memory: that of the others would count.
pub(crate) const fn slow(name: &'static str, attack: fn(&Target)) -> Case {
    Case { name, attack, is_slow: true }
}
