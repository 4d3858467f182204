//! Writes a finished core: one self-contained ES module with `load()`, and its types.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Module, binaryen, bindgen::Bindings, compile::Instructions, names::Names};
use crate::{files, npm, workspace::Workspace};

/// The names in the generated declarations.
#[derive(Clone, Copy)]
pub(super) struct Types {
    /// The file with wasm-bindgen's declarations. Cores with the same exports share it.
    pub(super) bindings: &'static str,
    /// The name of the type of all exports.
    pub(super) module: &'static str,
    /// The return type of `load()`.
    pub(super) load: &'static str,
}

/// Returns the files that `write` creates.
pub(super) fn outputs(folder: &Path, module: &Module) -> [PathBuf; 3] {
    [
        folder.join(format!("{}.js", module.name)),
        folder.join(format!("{}.d.ts", module.name)),
        folder.join(format!("{}.d.ts", module.types.bindings)),
    ]
}

/// Bundles the entry, the glue and the bytes into one module and writes it with its types.
pub(super) fn write(
    workspace: &Workspace,
    module: &Module,
    bindings: &Bindings,
    names: &Names,
    folder: &Path,
) -> Result<()> {
    let [script, types, bindings_types] = outputs(folder, module);
    let entry = bindings.glue.with_file_name("entry.js");
    files::write(&entry, names.shorten_exports(module.entry, "code")?)?;
    if module.entry.contains("core_bg.zlib") {
        files::write(&bindings.wasm.with_extension("zlib"), deflate(&files::read(&bindings.wasm)?)?)?;
    }
    npm::tool(workspace, "esbuild")
        .arg(entry)
        .args([
            "--bundle",
            "--format=esm",
            "--target=es2022",
            "--loader:.wasm=base64",
            "--loader:.zlib=base64",
            "--minify",
            "--log-level=warning",
        ])
        .arg(format!("--outfile={}", script.display()))
        .run()?;
    if matches!(module.instructions, Instructions::Mvp) {
        binaryen::order_functions(workspace, &script)?;
    }
    files::write(&bindings_types, declarations(&files::read_text(&bindings.types)?))?;
    let Types { bindings, module, load } = &module.types;
    files::write(
        &types,
        format!(
            "import type * as bindings from './{bindings}.js';\n\n\
             /** The exports of the Rust core. */\n\
             export type {module} = typeof bindings;\n\n\
             /** Makes the core ready; every call gives the same one. */\n\
             export declare function load(): {load};\n"
        ),
    )
}

/// Compresses a module in the zlib format, which every `DecompressionStream` reads. Zopfli's output is 3 % smaller than that of
/// zlib's highest level.
fn deflate(module: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::new();
    zopfli::compress(zopfli::Options::default(), zopfli::Format::Zlib, module, &mut compressed)?;
    Ok(compressed)
}

/// Removes the declarations that only start a module: `load()` does that.
fn declarations(generated: &str) -> String {
    let end = generated.find("export type InitInput").unwrap_or(generated.len());
    format!("{}\n", generated[..end].trim_end())
}
