//! Builds the Rust core as JavaScript modules in js/src/generated: `core-wasm.js` and `core-js.js` for pages, the same
//! code as WebAssembly and as plain JavaScript, and `core-resolver.js` for Forge functions.

mod binaryen;
mod bindgen;
mod boundary;
mod compile;
mod emit;
mod glue;
mod make;
mod names;
mod testing;

use std::path::PathBuf;

use anyhow::Result;

use self::compile::Instructions;
pub(crate) use self::testing::{memory_growth, vectors};
use crate::{
    files, npm, parallel,
    stamp::{Inputs, Stamp},
    toolchain::{self, Toolchain},
    workspace::Workspace,
};

/// A module to build.
struct Module {
    /// The file name of the generated module without its extension.
    name: &'static str,
    /// The description in progress messages and errors.
    what: &'static str,
    package: &'static str,
    feature: Option<&'static str>,
    instructions: Instructions,
    /// The JavaScript that exports `load()`.
    entry: &'static str,
    /// The types of the result of `load()`.
    types: emit::Types,
}

const PACKAGE: &str = "sealwire-sdk-wasm";

/// The modules of the package. The first one takes longest after the compiler.
const MODULES: [Module; 3] = [
    Module {
        name: "core-js",
        what: "the browser core as plain JavaScript",
        package: PACKAGE,
        feature: Some("browser"),
        instructions: Instructions::Mvp,
        entry: include_str!("../../js/core-js.entry.js"),
        types: emit::Types {
            bindings: "browser-bindings",
            module: "CoreModule",
            load: "Promise<CoreModule>",
        },
    },
    Module {
        name: "core-wasm",
        what: "the browser core as WebAssembly",
        package: PACKAGE,
        feature: Some("browser"),
        instructions: Instructions::Current,
        entry: include_str!("../../js/core-wasm.entry.js"),
        types: emit::Types {
            bindings: "browser-bindings",
            module: "CoreModule",
            load: "Promise<CoreModule>",
        },
    },
    Module {
        name: "core-resolver",
        what: "the resolver core as WebAssembly",
        package: PACKAGE,
        feature: Some("resolver"),
        instructions: Instructions::Current,
        entry: include_str!("../../js/core-resolver.entry.js"),
        types: emit::Types {
            bindings: "resolver-bindings",
            module: "ResolverModule",
            load: "ResolverModule",
        },
    },
];

/// Brings all three modules up to date.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let _lock = workspace.lock("core")?;
    let toolchain = install_tools(workspace)?;
    let folder = workspace.generated();
    let mut stale = Vec::new();
    for module in &MODULES {
        let stamp = Stamp::new(stamp_file(workspace, module), inputs(workspace, &toolchain, module)?);
        if !stamp.is_current(&emit::outputs(&folder, module)) {
            stale.push((module, stamp));
        }
    }
    let modules = stale.iter().map(|(module, _)| *module);
    make::all(workspace, &toolchain, modules, &folder)?;
    stale.iter().try_for_each(|(_, stamp)| stamp.write())
}

/// Installs binaryen and the compiler of the cores, and returns the compiler. Both are downloads.
fn install_tools(workspace: &Workspace) -> Result<Toolchain> {
    let (toolchain, ()) =
        parallel::both(|| toolchain::with_std_source(workspace), || npm::install(workspace))?;
    Ok(toolchain)
}

/// Returns the digests of the inputs that the present modules were built from.
pub(crate) fn stamps(workspace: &Workspace) -> Result<String> {
    MODULES.iter().map(|module| files::read_text(&stamp_file(workspace, module))).collect()
}

fn stamp_file(workspace: &Workspace, module: &Module) -> PathBuf {
    workspace.generated().join(format!(".{}.stamp", module.name))
}

/// Returns the inputs that determine a module.
fn inputs(workspace: &Workspace, toolchain: &Toolchain, module: &Module) -> Result<Inputs> {
    let mut inputs = Inputs::default().text(module.name).text(&toolchain.version);
    let sources = ["Cargo.toml", "Cargo.lock", "protocol", "client", "sdk-wasm"];
    let tooling = ["xtask/src/core", "xtask/src/toolchain", "xtask/js", "node_modules/binaryen/package.json"];
    for path in sources.into_iter().chain(tooling) {
        inputs = inputs.path(&workspace.root, path)?;
    }
    Ok(inputs)
}
