//! The paths and identifiers in the code of one item.

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Ident, Item, ItemUse, Macro, Path, Visibility,
    visit::{self, Visit},
};

use super::module::{Module, leaves};

/// Adds the names that an item's code contains to its module.
pub(super) fn collect(item: &Item, module: &mut Module) {
    Names { module }.visit_item(item);
}

struct Names<'module> {
    module: &'module mut Module,
}

impl Visit<'_> for Names<'_> {
    fn visit_path(&mut self, path: &Path) {
        if path.segments.len() > 1 {
            self.module.paths.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_ident(&mut self, name: &Ident) {
        self.module.words.insert(name.to_string());
    }

    /// A `use` inside a function counts for the function's module.
    fn visit_item_use(&mut self, declaration: &ItemUse) {
        self.module.imports.extend(leaves(declaration));
    }

    /// `syn` does not parse the arguments of a macro; every sequence of identifiers joined by `::` counts as a path.
    fn visit_macro(&mut self, invocation: &Macro) {
        self.visit_path(&invocation.path);
        self.tokens(invocation.tokens.clone());
    }

    // `pub(in crate::a)` and attributes import nothing.
    fn visit_visibility(&mut self, _: &Visibility) {}
    fn visit_attribute(&mut self, _: &Attribute) {}
}

impl Names<'_> {
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons < 2 {
                        self.end(&mut path);
                    }
                    self.module.words.insert(name.to_string());
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.end(&mut path);
                    self.tokens(group.stream());
                }
                _ => self.end(&mut path),
            }
        }
        self.end(&mut path);
    }

    fn end(&mut self, path: &mut Vec<String>) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.module.paths.insert(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_in_code_and_in_the_arguments_of_macros() {
        let item = syn::parse_str(
            "fn f(x: a::B<c::D>) { use e::F; println!(\"{}\", g::h(i::J { k: l::M })); n(pub_fn) }",
        )
        .expect("it is Rust");
        let mut module = Module::default();
        collect(&item, &mut module);
        let paths: Vec<String> = module.paths.iter().map(|path| path.join("::")).collect();
        assert_eq!(paths, ["a::B", "c::D", "g::h", "i::J", "l::M"]);
        assert_eq!(module.imports.len(), 1);
        assert!(module.words.contains("pub_fn"));
    }
}
