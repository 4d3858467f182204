//! A module of a crate: the names that it defines, imports and uses.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use syn::{ItemUse, UseTree, Visibility};

/// One leaf of a `use` declaration.
#[derive(Debug, PartialEq)]
pub(super) struct Import {
    /// The path as written, without the `*` of a glob.
    pub(super) path: Vec<String>,
    /// The name that the import brings into scope; `*` for a glob.
    pub(super) alias: String,
    /// True if other modules can import the name from here.
    pub(super) is_public: bool,
}

/// A module, in a file of its own or inline.
#[derive(Default)]
pub(super) struct Module {
    pub(super) parent: Option<usize>,
    /// The file with the module's code, relative to the repository.
    pub(super) file: PathBuf,
    pub(super) children: BTreeMap<String, usize>,
    /// The names of the items that the module defines.
    pub(super) defined: BTreeSet<String>,
    pub(super) imports: Vec<Import>,
    /// Paths of two or more segments in the module's code.
    pub(super) paths: BTreeSet<Vec<String>>,
    /// Every identifier of the module's code outside its `use` declarations.
    pub(super) words: BTreeSet<String>,
}

/// The leaves of a `use` declaration: `use a::{b, c::D}` imports `a::b` and `a::c::D`.
pub(super) fn leaves(declaration: &ItemUse) -> Vec<Import> {
    let is_public = !matches!(declaration.vis, Visibility::Inherited);
    let mut found = Vec::new();
    add_leaves(&declaration.tree, &mut Vec::new(), is_public, &mut found);
    found
}

fn add_leaves(tree: &UseTree, prefix: &mut Vec<String>, is_public: bool, found: &mut Vec<Import>) {
    let mut add = |name: Option<String>, alias: String| {
        // `use a::{self}` imports `a`.
        let path: Vec<String> = prefix.iter().cloned().chain(name.filter(|name| name != "self")).collect();
        let alias = if alias == "self" { path.last().cloned().unwrap_or_default() } else { alias };
        found.push(Import { path, alias, is_public });
    };
    match tree {
        UseTree::Name(name) => add(Some(name.ident.to_string()), name.ident.to_string()),
        UseTree::Rename(name) => add(Some(name.ident.to_string()), name.rename.to_string()),
        UseTree::Glob(_) => add(None, "*".into()),
        UseTree::Group(group) => {
            group.items.iter().for_each(|tree| add_leaves(tree, prefix, is_public, found));
        }
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            add_leaves(&path.tree, prefix, is_public, found);
            prefix.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_declaration_imports_each_of_its_leaves() {
        let declaration: ItemUse =
            syn::parse_str("pub(crate) use crate::a::{self, B as C, d::*};").expect("it is Rust");
        let import = |path: &[&str], alias: &str| Import {
            path: path.iter().map(ToString::to_string).collect(),
            alias: alias.into(),
            is_public: true,
        };
        assert_eq!(
            leaves(&declaration),
            [
                import(&["crate", "a"], "a"),
                import(&["crate", "a", "B"], "C"),
                import(&["crate", "a", "d"], "*")
            ]
        );
    }
}
