//! binaryen's programs, from its npm package: the versions that Linux distributions carry break modules silently.

use std::path::Path;

use anyhow::Result;

use crate::{npm, workspace::Workspace};

/// What rustc emits, or wasm2js cannot read, is allowed on the way in and then translated away.
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

/// Makes a module smaller, in place.
pub(super) fn shrink(workspace: &Workspace, wasm: &Path) -> Result<()> {
    npm::tool(workspace, "wasm-opt").arg(wasm).arg("-Oz").arg("-o").arg(wasm).run()
}

/// Translates `core_bg.wasm` to `core_bg.wasm.js` beside it, which exports `instantiate()`.
pub(super) fn translate(workspace: &Workspace, wasm: &Path) -> Result<()> {
    let (lowered, script) = (wasm.with_extension("lowered.wasm"), wasm.with_extension("wasm.js"));
    npm::tool(workspace, "wasm-opt").arg(wasm).args(LOWER).arg("-o").arg(&lowered).run()?;
    npm::tool(workspace, "wasm2js").arg("-O3").arg(&lowered).arg("-o").arg(&script).run()?;
    npm::script(workspace, "xtask/js/after-wasm2js.mjs").arg(&script).run()
}
