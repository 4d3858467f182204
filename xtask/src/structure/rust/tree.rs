//! The modules of a crate, read with `syn`: what each defines, imports and names.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use syn::{Attribute, Item, ItemMod};

use super::{
    module::{Module, leaves},
    names,
};
use crate::files;

/// The modules of a crate; the first is the root. Code under `#[cfg(test)]` is left out: a test may import any module.
pub(super) struct Crate {
    root: PathBuf,
    pub(super) modules: Vec<Module>,
}

impl Crate {
    /// Reads the crate whose root module is the file `entry`, relative to `root`.
    pub(super) fn read(root: &Path, entry: &Path) -> Result<Self> {
        let mut read = Self { root: root.to_owned(), modules: Vec::new() };
        let folder = entry.parent().context("a crate's root module lies in a folder")?;
        read.add_file(None, entry, folder)?;
        Ok(read)
    }

    /// Adds the module in `file`, whose child modules lie in `folder`.
    fn add_file(&mut self, parent: Option<usize>, file: &Path, folder: &Path) -> Result<usize> {
        let text = files::read_text(&self.root.join(file))?;
        let parsed = syn::parse_file(&text).with_context(|| format!("cannot parse {}", file.display()))?;
        self.add_module(parent, file, folder, &parsed.items)
    }

    fn add_module(
        &mut self,
        parent: Option<usize>,
        file: &Path,
        folder: &Path,
        items: &[Item],
    ) -> Result<usize> {
        let id = self.modules.len();
        self.modules.push(Module { parent, file: file.to_owned(), ..Module::default() });
        for item in items.iter().filter(|item| !is_test_code(attributes(item))) {
            match item {
                Item::Mod(module) => self.add_child(id, folder, module)?,
                Item::Use(declaration) => self.modules[id].imports.extend(leaves(declaration)),
                _ => {
                    self.modules[id].defined.extend(defined_name(item));
                    names::collect(item, &mut self.modules[id]);
                }
            }
        }
        Ok(id)
    }

    fn add_child(&mut self, parent: usize, folder: &Path, module: &ItemMod) -> Result<()> {
        let name = module.ident.to_string();
        let below = folder.join(&name);
        let child = if let Some((_, items)) = &module.content {
            let file = self.modules[parent].file.clone();
            self.add_module(Some(parent), &file, &below, items)?
        } else {
            let flat = folder.join(format!("{name}.rs"));
            let file = if self.root.join(&flat).is_file() { flat } else { below.join("mod.rs") };
            self.add_file(Some(parent), &file, &below)?
        };
        self.modules[parent].children.insert(name, child);
        Ok(())
    }
}

/// Returns true if an item is compiled for tests only: `#[cfg(test)]` or `#[cfg(all(test, …))]`.
fn is_test_code(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        let condition = attribute.meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default();
        condition == "test" || condition.replace(' ', "").starts_with("all(test,")
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn defined_name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_that_no_program_contains_is_test_code() {
        let is_test = |text: &str| is_test_code(&syn::parse_str::<ItemMod>(text).expect("it is Rust").attrs);
        assert!(is_test("#[cfg(test)] mod tests;"));
        assert!(is_test("#[cfg(all(test, unix))] mod tests;"));
        assert!(!is_test("#[cfg(not(test))] mod real;"));
        assert!(!is_test("#[cfg(any(test, feature = \"testing\"))] mod shared;"));
    }
}
