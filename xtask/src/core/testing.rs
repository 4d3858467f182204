//! Small cores that the pipeline of the package builds for tests in Node.js: one grows its memory, the other checks the
//! test vectors without WebAssembly.

use std::path::PathBuf;

use anyhow::Result;

use super::{Instructions, Module, emit, install_tools, make};
use crate::workspace::Workspace;

const MEMORY_GROWTH: [Module; 2] = [
    wasm("memory-growth", "the memory growth test as WebAssembly"),
    plain("memory-growth", "the memory growth test as plain JavaScript"),
];
const VECTORS: [Module; 1] = [plain("vectors-core", "the test vectors as plain JavaScript")];

const TYPES: emit::Types =
    emit::Types { bindings: "bindings", module: "CoreModule", load: "Promise<CoreModule>" };

const fn wasm(package: &'static str, what: &'static str) -> Module {
    Module {
        name: "core-wasm",
        what,
        package,
        feature: None,
        instructions: Instructions::Current,
        entry: include_str!("../../js/core-wasm.entry.js"),
        types: TYPES,
    }
}

const fn plain(package: &'static str, what: &'static str) -> Module {
    Module {
        name: "core-js",
        what,
        package,
        feature: None,
        instructions: Instructions::Mvp,
        entry: include_str!("../../js/core-js.entry.js"),
        types: TYPES,
    }
}

/// Builds both memory growth cores and returns the folder with `core-wasm.js` and `core-js.js`.
pub(crate) fn memory_growth(workspace: &Workspace) -> Result<PathBuf> {
    build(workspace, &MEMORY_GROWTH, "memory-growth")
}

/// Builds the core that checks the vectors and returns the path of the module.
pub(crate) fn vectors(workspace: &Workspace) -> Result<PathBuf> {
    Ok(build(workspace, &VECTORS, "vectors")?.join("core-js.js"))
}

fn build(workspace: &Workspace, modules: &[Module], name: &str) -> Result<PathBuf> {
    let _lock = workspace.lock("core")?;
    let toolchain = install_tools(workspace)?;
    let folder = workspace.target.join("core/testing").join(name);
    make::all(workspace, &toolchain, modules, &folder)?;
    Ok(folder)
}
