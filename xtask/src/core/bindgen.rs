//! Runs wasm-bindgen in this process: nothing is installed, and the version is the one that the workspace locks.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::files;

/// The name of every generated file: `core.js`, `core_bg.wasm`, …
const NAME: &str = "core";

/// The kind of JavaScript that wraps a module.
#[derive(Clone, Copy)]
pub(super) enum Glue {
    /// An ES module that takes the bytes of the module as an argument.
    Web,
    /// An ES module without the code that it wraps, which it takes through `__wbg_set_wasm`.
    Bundler,
}

/// The output of wasm-bindgen for one module.
pub(super) struct Bindings {
    /// The module without the sections that only wasm-bindgen reads.
    pub(super) wasm: PathBuf,
    /// The JavaScript that wraps the module.
    pub(super) glue: PathBuf,
    /// The types of the exports.
    pub(super) types: PathBuf,
}

/// Runs wasm-bindgen on a compiled module and writes its output to a folder.
pub(super) fn bind(wasm: &Path, folder: &Path, glue: Glue) -> Result<Bindings> {
    files::empty_folder(folder)?;
    let mut bindgen = Bindgen::new();
    match glue {
        Glue::Web => bindgen.web(true)?,
        Glue::Bundler => bindgen.bundler(true)?,
    };
    bindgen
        .input_path(wasm)
        .out_name(NAME)
        .typescript(true)
        .remove_producers_section(true)
        .omit_default_module_path(matches!(glue, Glue::Web))
        .generate(folder)
        .with_context(|| format!("wasm-bindgen cannot read {}", wasm.display()))?;
    Ok(Bindings {
        wasm: folder.join(format!("{NAME}_bg.wasm")),
        glue: folder.join(match glue {
            Glue::Web => format!("{NAME}.js"),
            Glue::Bundler => format!("{NAME}_bg.js"),
        }),
        types: folder.join(format!("{NAME}.d.ts")),
    })
}
