//! The identity of a client or of a backend.

/// The identity that a verified token states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The app.
    pub app: String,
    /// The installation.
    pub installation: String,
    /// The account; `None` for a backend.
    pub account: Option<String>,
}
