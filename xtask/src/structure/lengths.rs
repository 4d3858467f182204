//! The check `lengths`: a file is at most 330 lines long, a function at most 60.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use proc_macro2::Span;
use syn::{
    Block, ImplItemFn, ItemFn, Signature, TraitItemFn,
    visit::{self, Visit},
};

use super::{function::Function, scripts, sources};
use crate::{files, workspace::Workspace};

const MAX_FILE_LINES: usize = 330;
const MAX_FUNCTION_LINES: usize = 60;

/// A function that may be longer, and the reason.
struct Exception {
    file: &'static str,
    function: &'static str,
    #[expect(dead_code, reason = "the reason is for the reader of this list")]
    reason: &'static str,
}

/// At most three functions may be longer.
const EXCEPTIONS: &[Exception] = &[];
const _: () = assert!(EXCEPTIONS.len() <= 3, "split the function instead of adding an exception");

/// Fails with every file and every function that is too long.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut faults = Vec::new();
    let mut used = vec![false; EXCEPTIONS.len()];
    let scripts = scripts::read(workspace, &sources::scripts(workspace))?;
    let scripts = scripts.into_iter().map(|(file, script)| anyhow::Ok((file, script.functions)));
    let rust = sources::rust(workspace).into_iter().map(|file| {
        let functions = rust_functions(workspace, &file)?;
        Ok((file, functions))
    });
    for read in rust.chain(scripts) {
        let (file, functions) = read?;
        let lines = files::read_text(&workspace.root.join(&file))?.lines().count();
        if lines > MAX_FILE_LINES {
            faults.push(format!("{}: {lines} lines, {MAX_FILE_LINES} are the limit", file.display()));
        }
        for function in functions.iter().filter(|function| function.lines > MAX_FUNCTION_LINES) {
            match exception(&file, function) {
                Some(number) => used[number] = true,
                None => faults.push(describe(&file, function)),
            }
        }
    }
    let unused = EXCEPTIONS.iter().zip(used).filter(|(_, used)| !used);
    faults.extend(unused.map(|(exception, _)| {
        format!("{}: `{}` needs no exception any more", exception.file, exception.function)
    }));
    ensure!(
        faults.is_empty(),
        "split these by concept (a function that cannot be split goes into EXCEPTIONS of \
         xtask/src/structure/lengths.rs):\n    {}",
        faults.join("\n    ")
    );
    Ok(())
}

fn exception(file: &Path, function: &Function) -> Option<usize> {
    EXCEPTIONS
        .iter()
        .position(|exception| Path::new(exception.file) == file && exception.function == function.name)
}

fn describe(file: &Path, function: &Function) -> String {
    let Function { name, line, lines } = function;
    format!("{}:{line}: `{name}` has {lines} lines, {MAX_FUNCTION_LINES} are the limit", file.display())
}

fn rust_functions(workspace: &Workspace, file: &Path) -> Result<Vec<Function>> {
    let text = files::read_text(&workspace.root.join(file))?;
    functions_of(&text).with_context(|| format!("cannot parse {}", file.display()))
}

fn functions_of(text: &str) -> Result<Vec<Function>> {
    let mut functions = Functions(Vec::new());
    functions.visit_file(&syn::parse_file(text)?);
    Ok(functions.0)
}

struct Functions(Vec<Function>);

impl Functions {
    fn add(&mut self, signature: &Signature, block: &Block) {
        let line = |span: Span| span.start().line;
        let start = line(signature.fn_token.span);
        let end = line(block.brace_token.span.close());
        self.0.push(Function { name: signature.ident.to_string(), line: start, lines: end + 1 - start });
    }
}

impl Visit<'_> for Functions {
    fn visit_item_fn(&mut self, function: &ItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &ImplItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &TraitItemFn) {
        if let Some(block) = &function.default {
            self.add(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::functions_of;

    #[test]
    fn a_function_is_counted_from_its_signature_to_its_brace() {
        let text =
            "/// About f.\n#[inline]\nfn f(\n    x: u8,\n) {\n    x;\n}\n\nimpl A {\n    fn g(&self) {}\n}\n";
        let found: Vec<_> = functions_of(text)
            .expect("it is Rust")
            .into_iter()
            .map(|function| (function.name, function.line, function.lines))
            .collect();
        assert_eq!(found, [("f".into(), 3, 5), ("g".into(), 10, 1)]);
    }
}
