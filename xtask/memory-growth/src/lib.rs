//! Exports that allocate past the initial memory. xtask's test of the plain JavaScript build calls them, since memory
//! that grows is what that build gets wrong most easily (docs/building.md).

use wasm_bindgen::prelude::wasm_bindgen;

/// Allocates `length` bytes that are never freed, so that memory has to grow.
#[wasm_bindgen]
pub fn leak(length: usize) {
    Box::leak(vec![1_u8; length].into_boxed_slice());
}

/// `text` as many times over: a string in, a longer string out.
#[wasm_bindgen]
#[must_use]
pub fn repeat(text: &str, times: usize) -> String {
    text.repeat(times)
}

/// The bytes 0, 1, 2 … 255, 0, 1 … of this length.
#[wasm_bindgen]
#[must_use]
pub fn count(length: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(length).collect()
}

/// The sum of bytes that JavaScript copied in.
#[wasm_bindgen]
#[must_use]
pub fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().copied().map(u32::from).sum()
}

/// How long a string is that JavaScript wrote while Rust's buffer for it had to move.
#[wasm_bindgen]
#[must_use]
pub fn characters(text: &str) -> usize {
    text.chars().count()
}

/// Fills new memory with `value` and reads it at an address that a call computes. Compiled to JavaScript this is
/// `HEAP32[fresh() >> 2]`, where the memory may be another after the call than before.
#[wasm_bindgen]
#[must_use]
pub fn first(length: usize, value: u32) -> u32 {
    *fresh(length, value)
}

/// The same twice. One caller alone would have `fresh` inlined, and no call would be left.
#[wasm_bindgen]
#[must_use]
pub fn difference(length: usize, value: u32, other: u32) -> u32 {
    *fresh(length, value) - *fresh(length, other)
}

#[inline(never)]
fn fresh(length: usize, value: u32) -> &'static u32 {
    &Box::leak(vec![value; length].into_boxed_slice())[length - 1]
}
