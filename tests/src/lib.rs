//! Tests across the pieces; each file of `tests/` is one subject.
