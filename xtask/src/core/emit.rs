//! Writes a finished core: one self-contained module with `load()`, and its types.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Module, bindgen::Bindings};
use crate::{files, hex, npm, workspace::Workspace};

/// How the generated declarations name things.
#[derive(Clone, Copy)]
pub(super) struct Types {
    /// The file with wasm-bindgen's own declarations, shared by cores with the same exports.
    pub(super) bindings: &'static str,
    /// The name of the type of all exports together.
    pub(super) module: &'static str,
    /// What `load()` returns.
    pub(super) load: &'static str,
}

pub(super) fn outputs(folder: &Path, module: &Module) -> [PathBuf; 3] {
    [
        folder.join(format!("{}.js", module.name)),
        folder.join(format!("{}.d.ts", module.name)),
        folder.join(format!("{}.d.ts", module.types.bindings)),
    ]
}

pub(super) fn write(
    workspace: &Workspace,
    module: &Module,
    bindings: &Bindings,
    folder: &Path,
) -> Result<()> {
    let [script, types, bindings_types] = outputs(folder, module);
    let entry = bindings.glue.with_file_name("entry.js");
    files::write(&entry, module.entry)?;
    // For pages, which download it: brotli makes 6 % more of this than of the module itself, and 37 % more of base64.
    files::write(&bindings.wasm.with_extension("hex"), hex::encode(&files::read(&bindings.wasm)?))?;
    npm::tool(workspace, "esbuild")
        .arg(entry)
        .args([
            "--bundle",
            "--format=esm",
            "--target=es2022",
            "--loader:.wasm=base64",
            "--loader:.hex=text",
            "--minify",
            "--log-level=warning",
        ])
        .arg(format!("--outfile={}", script.display()))
        .run()?;
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

/// wasm-bindgen's declarations without what only starts a module, which `load()` does.
fn declarations(generated: &str) -> String {
    let end = generated.find("export type InitInput").unwrap_or(generated.len());
    format!("{}\n", generated[..end].trim_end())
}
