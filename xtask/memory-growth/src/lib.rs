//! Exports that allocate past the initial memory. The test of the plain JavaScript build calls them: growth of memory
//! is the most likely fault of that build (docs/building.md).

use wasm_bindgen::prelude::wasm_bindgen;

/// Allocates `length` bytes and never frees them, so that the memory must grow.
#[wasm_bindgen]
pub fn leak(length: usize) {
    Box::leak(vec![1_u8; length].into_boxed_slice());
}

/// Repeats a string: the argument is a string, the result a longer one.
#[wasm_bindgen]
#[must_use]
pub fn repeat(text: &str, times: usize) -> String {
    text.repeat(times)
}

/// Returns `length` bytes: 0, 1, 2 … 255, 0, 1 …
#[wasm_bindgen]
#[must_use]
pub fn count(length: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(length).collect()
}

/// Returns the sum of bytes that JavaScript copied into the memory.
#[wasm_bindgen]
#[must_use]
pub fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().copied().map(u32::from).sum()
}

/// Returns the number of characters of a string. JavaScript moves Rust's buffer while it writes a long string.
#[wasm_bindgen]
#[must_use]
pub fn characters(text: &str) -> usize {
    text.chars().count()
}

/// Fills new memory with `value` and reads it at an address that a call computes. The JavaScript of this function is
/// `HEAP32[fresh() >> 2]`, and the call may replace the memory.
#[wasm_bindgen]
#[must_use]
pub fn first(length: usize, value: u32) -> u32 {
    *fresh(length, value)
}

/// Does the same twice. The compiler would inline `fresh` into a single caller, and no call would remain.
#[wasm_bindgen]
#[must_use]
pub fn difference(length: usize, value: u32, other: u32) -> u32 {
    *fresh(length, value) - *fresh(length, other)
}

#[inline(never)]
fn fresh(length: usize, value: u32) -> &'static u32 {
    &Box::leak(vec![value; length].into_boxed_slice())[length - 1]
}
