//! Runs the programs of binaryen's npm package. The versions in Linux distributions break modules without an error.

use std::path::Path;

use anyhow::Result;

use crate::{npm, workspace::Workspace};

/// Accepts the instructions that rustc emits, and translates those that wasm2js cannot read into older ones.
const LOWER: [&str; 10] = [
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
    "--llvm-nontrapping-fptoint-lowering",
    "--llvm-memory-copy-fill-lowering",
    "--signext-lowering",
    "-O3",
];

/// Optimizes a module for size, in place.
pub(super) fn shrink(workspace: &Workspace, wasm: &Path) -> Result<()> {
    npm::tool(workspace, "wasm-opt").arg(wasm).arg("-Oz").arg("-o").arg(wasm).run()
}

/// Translates `core_bg.wasm` to the script `core_bg.wasm.js` beside it, which exports `instantiate()`.
pub(super) fn translate(workspace: &Workspace, wasm: &Path) -> Result<()> {
    let (lowered, script) = (wasm.with_extension("lowered.wasm"), wasm.with_extension("wasm.js"));
    npm::tool(workspace, "wasm-opt").arg(wasm).args(LOWER).arg("-o").arg(&lowered).run()?;
    npm::tool(workspace, "wasm2js").arg("-O3").arg(&lowered).arg("-o").arg(&script).run()?;
    npm::script(workspace, "xtask/js/after-wasm2js.mjs").arg(&script).run()
}
