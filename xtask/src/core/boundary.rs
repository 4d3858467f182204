//! Rejects 64-bit integers at the boundary of a core that becomes plain JavaScript. wasm-bindgen passes them as BigInt,
//! wasm2js as two numbers: the only symptom would be a wrong value at run time.

use std::path::Path;

use anyhow::{Result, bail};
use wasmparser::{ExternalKind, Parser, Payload, TypeRef, ValType};

use crate::files;

/// Fails with the names of the imports and exports that pass an `i64`.
pub(super) fn check(wasm: &Path) -> Result<()> {
    let names = wide(&files::read(wasm)?)?;
    if names.is_empty() {
        return Ok(());
    }
    bail!(
        "{} pass 64-bit integers between Rust and JavaScript, which the plain JavaScript core cannot: use f64, u32 or a string",
        names.join(", ")
    )
}

fn wide(module: &[u8]) -> Result<Vec<String>> {
    let (mut types, mut functions, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::TypeSection(section) => {
                for function in section.into_iter_err_on_gc_types() {
                    let function = function?;
                    types.push(
                        function.params().iter().chain(function.results()).any(|kind| *kind == ValType::I64),
                    );
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    if let TypeRef::Func(kind) = import.ty {
                        functions.push(kind);
                        if types[kind as usize] {
                            names.push(format!("the import {}", import.name));
                        }
                    }
                }
            }
            Payload::FunctionSection(section) => {
                for kind in section {
                    functions.push(kind?);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if export.kind == ExternalKind::Func && types[functions[export.index as usize] as usize] {
                        names.push(format!("the export {}", export.name));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(names)
}
