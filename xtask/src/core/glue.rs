//! Rewrites wasm-bindgen's JavaScript for cores in plain JavaScript. The original caches views of the memory and
//! replaces them once growth has detached the buffer. A core in plain JavaScript replaces its memory when it grows and
//! detaches nothing, so the glue must compare buffers instead.

use std::path::Path;

use anyhow::{Result, ensure};
use regex::Regex;

use crate::files;

/// Rewrites the glue so that no view outlives the memory that it shows.
pub(super) fn follow_memory(glue: &Path) -> Result<()> {
    files::write(glue, patch(&files::read_text(glue)?)?)
}

fn patch(glue: &str) -> Result<String> {
    let getter = Regex::new(
        r"(function get\w+Memory0\(\) \{\n\s*if \()(cached\w+Memory0) === null \|\| [^\n]+(\) \{\n)",
    )?;
    let found = glue.matches("Memory0() {").count();
    let patched = getter.find_iter(glue).count();
    ensure!(
        found == patched,
        "wasm-bindgen's glue has {found} cached views of the memory, but only {patched} have the expected form; adapt \
         xtask/src/core/glue.rs to this version of wasm-bindgen"
    );
    Ok(getter.replace_all(glue, "$1$2?.buffer !== wasm.memory.buffer$3").into_owned())
}

#[cfg(test)]
mod tests {
    use super::patch;

    #[test]
    fn every_cached_view_is_replaced_if_the_buffer_changed() {
        let glue = "let cachedUint8ArrayMemory0 = null;
function getUint8ArrayMemory0() {
    if (cachedUint8ArrayMemory0 === null || cachedUint8ArrayMemory0.byteLength === 0) {
        cachedUint8ArrayMemory0 = new Uint8Array(wasm.memory.buffer);
    }
    return cachedUint8ArrayMemory0;
}
function getDataViewMemory0() {
    if (cachedDataViewMemory0 === null || cachedDataViewMemory0.buffer.detached === true || (cachedDataViewMemory0.buffer.detached === undefined)) {
        cachedDataViewMemory0 = new DataView(wasm.memory.buffer);
    }";
        let patched = patch(glue).expect("both views have the expected form");
        assert!(patched.contains("if (cachedUint8ArrayMemory0?.buffer !== wasm.memory.buffer) {"));
        assert!(patched.contains("if (cachedDataViewMemory0?.buffer !== wasm.memory.buffer) {"));
        assert!(!patched.contains("=== null"));
    }

    #[test]
    fn a_cached_view_of_an_unknown_form_is_an_error() {
        assert!(patch("function getUint8ArrayMemory0() {\n    return cache.fresh();\n}").is_err());
    }
}
