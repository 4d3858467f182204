//! Exports the vector check to JavaScript; `plain-js.test.mjs` runs it in the build without WebAssembly.

use wasm_bindgen::prelude::*;

/// Recomputes every vector and returns a line `<file>: <cases>` for each file.
///
/// # Errors
/// Throws an explanation that names the first case whose result differs.
#[wasm_bindgen(js_name = checkVectors)]
pub fn check_vectors() -> Result<String, JsError> {
    let checked = sealwire_vectors::check_all().map_err(|error| JsError::new(&error))?;
    Ok(checked.iter().map(|file| format!("{}: {}\n", file.file, file.cases)).collect())
}
