//! The vector check for JavaScript: `plain-js.test.mjs` runs it in the build without WebAssembly.

use wasm_bindgen::prelude::*;

/// Recomputes every vector and returns `<file>: <cases>` lines.
///
/// # Errors
/// The first case that this build does not agree with.
#[wasm_bindgen(js_name = checkVectors)]
pub fn check_vectors() -> Result<String, JsError> {
    let checked = sealwire_vectors::check_all().map_err(|error| JsError::new(&error))?;
    Ok(checked.iter().map(|file| format!("{}: {}\n", file.file, file.cases)).collect())
}
