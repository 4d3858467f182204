//! The column of the table that says what a reload does.

/// The effect of a reload on a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReloadEffect {
    /// The new value takes effect at the reload.
    Now,
    /// The new value takes effect after a restart.
    Restart,
    /// The new value takes effect at the reload, unless it switches TLS on or off: clients would then need another URL.
    SameTls,
}
