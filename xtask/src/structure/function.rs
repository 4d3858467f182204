//! A function and its length.

/// A function, from its first line (`fn`, `function`, `(…) =>`) to its closing brace.
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) lines: usize,
}
