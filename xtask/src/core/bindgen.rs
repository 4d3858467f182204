//! wasm-bindgen, run in this process: no global install, and always the version that the workspace locks.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::files;

/// The name of every generated file: `core.js`, `core_bg.wasm`, …
const NAME: &str = "core";

/// Which JavaScript wraps the module.
#[derive(Clone, Copy)]
pub(super) enum Glue {
    /// An ES module that is handed the bytes.
    Web,
    /// An ES module apart from the code it wraps, which is handed over with `__wbg_set_wasm`.
    Bundler,
}

/// What wasm-bindgen made of a module.
pub(super) struct Bindings {
    /// The code, without the sections that only wasm-bindgen reads.
    pub(super) wasm: PathBuf,
    /// The JavaScript round it.
    pub(super) glue: PathBuf,
    /// The types of the exports.
    pub(super) types: PathBuf,
}

pub(super) fn bind(wasm: &Path, folder: &Path, glue: Glue) -> Result<Bindings> {
    files::empty_folder(folder)?;
    let target = match glue {
        Glue::Web => ["--target", "web", "--omit-default-module-path"].as_slice(),
        Glue::Bundler => ["--target", "bundler"].as_slice(),
    };
    let mut arguments: Vec<&std::ffi::OsStr> =
        ["wasm-bindgen", "--remove-producers-section", "--out-name", NAME, "--out-dir"]
            .iter()
            .map(AsRef::as_ref)
            .collect();
    arguments.push(folder.as_os_str());
    arguments.extend(target.iter().map(|argument| std::ffi::OsStr::new(*argument)));
    arguments.push(wasm.as_os_str());
    wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(arguments)
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
