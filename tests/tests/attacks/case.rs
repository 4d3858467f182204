//! The description of one attack.

use crate::target::Target;

/// An attack on the relay that all attacks share. Its name is listed in docs/security.md.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Panics if the relay does not withstand the attack.
    pub(crate) attack: fn(&Target),
    pub(crate) turn: Turn,
}

/// The attacks that run at the same time as an attack.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Turn {
    /// None: the attack measures the relay's memory, and that of others would count.
    Alone,
    /// Those that wait. It ends as soon as the relay has answered.
    Next,
    /// All but those that measure memory: it waits for a deadline of the relay.
    Beside,
}

/// An attack that ends as soon as the relay has answered.
pub(crate) const fn case(name: &'static str, attack: fn(&Target)) -> Case {
    Case { name, attack, turn: Turn::Next }
}

/// An attack that waits for a deadline of the relay.
pub(crate) const fn slow(name: &'static str, attack: fn(&Target)) -> Case {
    Case { name, attack, turn: Turn::Beside }
}

/// An attack that measures the relay's memory.
pub(crate) const fn measured(name: &'static str, attack: fn(&Target)) -> Case {
    Case { name, attack, turn: Turn::Alone }
}
