//! Compiles a core with std built from source. The core is a sixth smaller, and the code for plain JavaScript contains
//! no instruction that wasm2js cannot translate.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::Module;
use crate::{
    cargo,
    toolchain::{TARGET, Toolchain},
    workspace::Workspace,
};

/// The WebAssembly instructions that the code may use.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Instructions {
    /// The instructions that rustc uses by default.
    Current,
    /// The instructions of the first version of WebAssembly.
    Mvp,
}

/// Compiles a module and returns the path of the wasm file, which wasm-bindgen has not read yet.
pub(super) fn compile(workspace: &Workspace, toolchain: &Toolchain, module: &Module) -> Result<PathBuf> {
    let target = workspace.target.join(match module.instructions {
        Instructions::Current => "wasm",
        Instructions::Mvp => "wasm-mvp",
    });
    let mut arguments = vec!["build", "--quiet", "--locked", "--profile", "wasm", "--target", TARGET];
    // The feature selects std's smaller implementations of formatting and searching.
    arguments.extend(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"]);
    arguments.extend(["--package", module.package]);
    if let Some(feature) = module.feature {
        arguments.extend(["--no-default-features", "--features", feature]);
    }
    toolchain
        .cargo(arguments)
        .dir(&workspace.root)
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(workspace, module.instructions).join("\x1f"))
        // Stable compilers reject -Zbuild-std and immediate-abort without this variable.
        .env("RUSTC_BOOTSTRAP", "1")
        .run()
        .with_context(|| format!("{} did not compile", module.what))?;
    Ok(target.join(TARGET).join("wasm").join(format!("{}.wasm", module.package.replace('-', "_"))))
}

fn flags(workspace: &Workspace, instructions: Instructions) -> Vec<String> {
    // A panic is a trap without a message, so the module contains neither the messages nor the code that formats them.
    let mut flags = vec!["-Zunstable-options".to_owned(), "-Cpanic=immediate-abort".to_owned()];
    // Rounds of SHA-256 and AES as loops make the core a tenth smaller and cost a message no measurable time.
    flags.extend([
        "--cfg=sha2_backend_soft=\"compact\"".to_owned(),
        "--cfg=aes_backend_soft=\"compact\"".to_owned(),
    ]);
    if instructions == Instructions::Mvp {
        // wasm2js translates the instructions that copy and fill memory to methods of typed arrays.
        flags.extend(["-Ctarget-cpu=mvp".to_owned(), "-Ctarget-feature=+bulk-memory".to_owned()]);
        // The AES-GCM crates choose 64-bit words for WebAssembly. JavaScript needs two numbers for each.
        flags.push("--cfg=cpubits=\"32\"".to_owned());
    }
    // The published package must not contain paths of this machine.
    flags.push(format!("--remap-path-prefix={}=sealwire", workspace.root.display()));
    flags.extend(cargo::without_home());
    flags
}
