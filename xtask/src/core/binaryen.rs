//! Runs the programs of binaryen's npm package. The versions in Linux distributions break modules without an error.

use std::path::Path;

use anyhow::Result;

use super::names::Names;
use crate::{npm, workspace::Workspace};

/// Gives the imports and exports short names, and prints them.
const SHORT_NAMES: &str = "--minify-imports-and-exports-and-modules";

/// Leaves functions of more than this number of instructions out of line. Without it, binaryen inlines a function of any size if it
/// has one caller. V8 never optimizes the JavaScript of the largest ones, and compiles all of a function at its first call.
const OUT_OF_LINE: [&str; 2] = ["--one-caller-inline-max-function-size", "300"];

/// Moves a constant that is added to an address into the offset of the load or store. The two differ only for a sum that wraps around
/// to the lowest kilobyte of the memory, which is the end of the stack: no pointer is computed like that.
const OFFSETS: &str = "--low-memory-unused";

/// Accepts the instructions that rustc emits, and translates those that wasm2js cannot read into older ones.
const LOWER: [&str; 13] = [
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
    "--llvm-nontrapping-fptoint-lowering",
    "--signext-lowering",
    "-Oz",
    // Other blocks and loops than LLVM's make the JavaScript smaller; the passes after them remove the locals that they add.
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
];

/// Optimizes a module for size, in place.
pub(super) fn shrink(workspace: &Workspace, wasm: &Path) -> Result<Names> {
    let shrink =
        npm::tool(workspace, "wasm-opt").arg(wasm).args(OUT_OF_LINE).args([OFFSETS, "-Oz", SHORT_NAMES]);
    let names = Names::parse(&shrink.arg("-o").arg(wasm).read()?)?;
    order_functions(workspace, wasm)?;
    npm::tool(workspace, "wasm-opt").arg(wasm).args(["--reorder-functions-by-name", "-o"]).arg(wasm).run()?;
    Ok(names)
}

/// Arranges the functions of a script for compression, or names those of a module in that order.
pub(super) fn order_functions(workspace: &Workspace, core: &Path) -> Result<()> {
    npm::script(workspace, "xtask/js/order-functions.mjs").arg(core).run()?;
    Ok(())
}

/// Translates `core_bg.wasm` to the script `core_bg.wasm.js` beside it, which exports `instantiate()`.
pub(super) fn translate(workspace: &Workspace, wasm: &Path) -> Result<Names> {
    let (lowered, script) = (wasm.with_extension("lowered.wasm"), wasm.with_extension("wasm.js"));
    let lower = npm::tool(workspace, "wasm-opt")
        .arg(wasm)
        .args(OUT_OF_LINE)
        .arg(OFFSETS)
        .args(LOWER)
        .arg(SHORT_NAMES);
    let names = Names::parse(&lower.arg("-o").arg(&lowered).read()?)?;
    npm::tool(workspace, "wasm2js")
        .args(OUT_OF_LINE)
        .args([OFFSETS, "-Oz"])
        .arg(&lowered)
        .arg("-o")
        .arg(&script)
        .run()?;
    npm::script(workspace, "xtask/js/after-wasm2js.mjs").arg(&script).run()?;
    Ok(names)
}
