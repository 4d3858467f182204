//! wasm-bindgen's JavaScript keeps views of the memory and makes new ones when growth has detached the old. A core in
//! plain JavaScript replaces its memory when it grows and detaches nothing, so its glue has to compare buffers instead.

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
        "wasm-bindgen's glue has {found} cached views of the memory, of which {patched} look as expected"
    );
    Ok(getter.replace_all(glue, "$1$2?.buffer !== wasm.memory.buffer$3").into_owned())
}

#[cfg(test)]
mod tests {
    use super::patch;

    #[test]
    fn every_cached_view_is_made_anew_when_the_memory_is_another() {
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
        let patched = patch(glue).expect("both are as expected");
        assert!(patched.contains("if (cachedUint8ArrayMemory0?.buffer !== wasm.memory.buffer) {"));
        assert!(patched.contains("if (cachedDataViewMemory0?.buffer !== wasm.memory.buffer) {"));
        assert!(!patched.contains("=== null"));
    }

    #[test]
    fn a_view_in_an_unknown_shape_is_an_error() {
        assert!(patch("function getUint8ArrayMemory0() {\n    return cache.fresh();\n}").is_err());
    }
}
