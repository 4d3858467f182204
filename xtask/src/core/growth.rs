//! The proof that a core survives the growth of its memory: the real pipeline on a small crate, run in Node.js.

use anyhow::Result;
use duct::Expression;

use super::{Instructions, Module, emit, make};
use crate::{npm, toolchain, workspace::Workspace};

const MODULES: [Module; 2] = [
    Module {
        name: "core-wasm",
        what: "the memory growth test as WebAssembly",
        package: "memory-growth",
        feature: None,
        instructions: Instructions::Current,
        entry: include_str!("../../js/core-wasm.entry.js"),
        types: emit::Types { bindings: "bindings", module: "CoreModule", load: "Promise<CoreModule>" },
    },
    Module {
        name: "core-js",
        what: "the memory growth test as plain JavaScript",
        package: "memory-growth",
        feature: None,
        instructions: Instructions::Mvp,
        entry: include_str!("../../js/core-js.entry.js"),
        types: emit::Types { bindings: "bindings", module: "CoreModule", load: "Promise<CoreModule>" },
    },
];

/// Builds both and gives the command that tests them.
pub(crate) fn test(workspace: &Workspace) -> Result<Expression> {
    let _lock = workspace.lock("core")?;
    npm::install(workspace)?;
    let toolchain = toolchain::with_std_source(workspace)?;
    let folder = workspace.target.join("core/memory-growth/built");
    for module in &MODULES {
        make(workspace, &toolchain, module, &folder)?;
    }
    Ok(duct::cmd!("node", "--test", "xtask/js/memory-growth.test.mjs")
        .dir(&workspace.root)
        .env("SEALWIRE_BUILT_CORES", folder))
}
