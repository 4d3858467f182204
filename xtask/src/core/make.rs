//! Makes modules. The compiler uses all cores and the programs after it one, so the next module is compiled while they run.

use std::{panic, path::Path, thread};

use anyhow::Result;

use super::{
    Module, binaryen,
    bindgen::{self, Bindings, Glue},
    boundary,
    compile::{self, Instructions},
    emit, glue,
};
use crate::{step, toolchain::Toolchain, workspace::Workspace};

/// Makes modules and writes them to `folder`. Returns the first error after all have ended.
pub(super) fn all<'a>(
    workspace: &Workspace,
    toolchain: &Toolchain,
    modules: impl IntoIterator<Item = &'a Module>,
    folder: &Path,
) -> Result<()> {
    thread::scope(|scope| {
        let mut shrinking = Vec::new();
        for module in modules {
            step::building(module.what);
            let bindings = compile(workspace, toolchain, module)?;
            shrinking.push(scope.spawn(move || shrink(workspace, module, &bindings, folder)));
        }
        // The scope waits for the others after an error.
        shrinking
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic)))
    })
}

/// Compiles a module and runs wasm-bindgen. The next module may have the same file name before wasm-bindgen, but not after it.
fn compile(workspace: &Workspace, toolchain: &Toolchain, module: &Module) -> Result<Bindings> {
    let compiled = compile::compile(workspace, toolchain, module)?;
    let scratch = workspace.target.join("core").join(module.package).join(module.name);
    bindgen::bind(&compiled, &scratch, glue_of(module))
}

/// Shrinks a module, translates it for plain JavaScript, and writes the result to `folder`.
fn shrink(workspace: &Workspace, module: &Module, bindings: &Bindings, folder: &Path) -> Result<()> {
    let names = match module.instructions {
        Instructions::Current => binaryen::shrink(workspace, &bindings.wasm)?,
        Instructions::Mvp => {
            boundary::check(&bindings.wasm)?;
            glue::follow_memory(&bindings.glue)?;
            binaryen::translate(workspace, &bindings.wasm)?
        }
    };
    names.apply(&bindings.glue, glue_of(module))?;
    emit::write(workspace, module, bindings, &names, folder)
}

fn glue_of(module: &Module) -> Glue {
    match module.instructions {
        Instructions::Current => Glue::Web,
        Instructions::Mvp => Glue::Bundler,
    }
}
