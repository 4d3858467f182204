//! One attack.

use crate::target::Target;

/// An attack with a stable name; `attack` panics where the relay does not hold.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) attack: fn(&Target),
    /// It waits for a deadline of the relay, so it runs beside the others.
    pub(crate) is_patient: bool,
}

pub(crate) const fn case(name: &'static str, attack: fn(&Target)) -> Case {
    Case { name, attack, is_patient: false }
}

pub(crate) const fn patient(name: &'static str, attack: fn(&Target)) -> Case {
    Case { name, attack, is_patient: true }
}
