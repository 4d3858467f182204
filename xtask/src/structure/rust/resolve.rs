//! Resolves paths to the files that define their items.
//!
//! A re-export is transparent: `use crate::hub::Hub` leads to the file that defines `Hub`, and `pub use` alone is no
//! import of the module that contains it. An import of an item of an ancestor module is left out: a parent composes its
//! children, and a child sees its parent's private items by the language's own rules, so the two are one unit to a
//! reader.

use std::path::Path;

use super::{
    module::{Import, Module},
    tree::Crate,
};
use crate::structure::graph::Graph;

/// The number of re-exports that a path may pass; more are a circle of re-exports.
const MAX_STEPS: u8 = 32;

/// The result of following a path.
#[derive(Clone, Copy)]
enum Found {
    /// The path names this module itself.
    Module(usize),
    /// The path names an item of this module.
    Item(usize),
}

impl Crate {
    /// Adds every import between two files of the crate.
    pub(super) fn add_imports(&self, graph: &mut Graph) {
        for (id, module) in self.modules.iter().enumerate() {
            for import in module.imports.iter().filter(|import| module.uses(import)) {
                match self.follow(id, &import.path, MAX_STEPS) {
                    // Paths in the code show which items of an imported module are in use.
                    Some(Found::Module(_)) if import.alias != "*" => {}
                    Some(Found::Module(target) | Found::Item(target)) => {
                        self.add(graph, id, target, &import.alias)
                    }
                    None => {}
                }
            }
            for path in &module.paths {
                if let Some(Found::Item(target)) = self.follow(id, path, MAX_STEPS) {
                    self.add(graph, id, target, &path.join("::"));
                }
            }
        }
    }

    fn add(&self, graph: &mut Graph, from: usize, to: usize, name: &str) {
        let (from_file, to_file) = (self.file(from), self.file(to));
        let mut ancestor = Some(from);
        while let Some(id) = ancestor {
            if self.file(id) == to_file {
                return;
            }
            ancestor = self.modules[id].parent;
        }
        graph.add(from_file, to_file, name);
    }

    fn file(&self, id: usize) -> &Path {
        &self.modules[id].file
    }

    /// Follows a path as the code of a module means it. Nothing for paths into other crates.
    fn follow(&self, from: usize, path: &[String], steps: u8) -> Option<Found> {
        let steps = steps.checked_sub(1)?;
        let (first, rest) = path.split_first()?;
        let module = &self.modules[from];
        match first.as_str() {
            "crate" => self.descend(0, rest, steps),
            "self" => self.descend(from, rest, steps),
            "super" => self.above(module.parent?, rest, steps),
            name if module.children.contains_key(name) || module.defined.contains(name) => {
                self.descend(from, path, steps)
            }
            name => {
                let import = module.imports.iter().find(|import| import.alias == name)?;
                // `use hub;` beside an external crate `hub` would lead back here.
                if import.path.first() == Some(first) && import.path.len() == 1 {
                    return None;
                }
                self.follow(from, &joined(&import.path, rest), steps)
            }
        }
    }

    /// The rest of a path after `super`, which may go on with another `super`.
    fn above(&self, parent: usize, rest: &[String], steps: u8) -> Option<Found> {
        match rest.split_first() {
            Some((first, rest)) if first == "super" => self.above(self.modules[parent].parent?, rest, steps),
            _ => self.descend(parent, rest, steps),
        }
    }

    /// Follows a path from a module through its children, its items and its re-exports.
    fn descend(&self, id: usize, path: &[String], steps: u8) -> Option<Found> {
        let steps = steps.checked_sub(1)?;
        let Some((first, rest)) = path.split_first() else { return Some(Found::Module(id)) };
        let module = &self.modules[id];
        if let Some(child) = module.children.get(first) {
            return self.descend(*child, rest, steps);
        }
        if module.defined.contains(first) {
            return Some(Found::Item(id));
        }
        if let Some(import) = module.imports.iter().find(|import| import.alias == *first) {
            return self.follow(id, &joined(&import.path, rest), steps);
        }
        let globs = module.imports.iter().filter(|import| import.alias == "*" && import.is_public);
        globs
            .filter_map(|import| self.follow(id, &joined(&import.path, path), steps))
            .find(|found| self.defines(*found, path))
            .or(Some(Found::Item(id)))
    }

    /// Returns true if a path through a glob led to a definition, not merely to a module that may have one.
    fn defines(&self, found: Found, path: &[String]) -> bool {
        match found {
            Found::Module(_) => true,
            Found::Item(id) => path.first().is_some_and(|name| self.modules[id].defined.contains(name)),
        }
    }
}

impl Module {
    /// Returns true if this module's own code uses an import. A re-export may serve other modules only.
    fn uses(&self, import: &Import) -> bool {
        !import.is_public || (import.alias != "*" && self.words.contains(&import.alias))
    }
}

fn joined(path: &[String], rest: &[String]) -> Vec<String> {
    path.iter().chain(rest).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::tests::temporary;

    /// The circles of a crate made of these files.
    fn circles(name: &str, sources: &[(&str, &str)]) -> Vec<String> {
        let paths: Vec<String> = sources.iter().map(|(file, _)| format!("src/{file}")).collect();
        let sources: Vec<_> = paths.iter().zip(sources).map(|(path, (_, text))| (&**path, *text)).collect();
        let root = temporary(name, &sources);
        let mut graph = Graph::default();
        Crate::read(&root, Path::new("src/lib.rs")).expect("it is a crate").add_imports(&mut graph);
        std::fs::remove_dir_all(&root).expect("removable");
        graph.circles()
    }

    #[test]
    fn siblings_that_import_each_other_are_a_circle_also_through_a_path_and_a_re_export() {
        let found = circles(
            "siblings",
            &[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "use crate::b; pub struct A; fn f() { b::g() }"),
                ("b/mod.rs", "mod c; pub use c::g;"),
                ("b/c.rs", "use crate::a::A; pub fn g() {}"),
            ],
        );
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("src/a.rs") && found[0].contains("src/b/c.rs"), "{found:?}");
    }

    #[test]
    fn a_child_may_use_the_items_of_its_ancestors() {
        let sources = [
            ("lib.rs", "mod a; pub struct Root;"),
            ("a/mod.rs", "mod b; use b::B; struct A(B);"),
            ("a/b.rs", "use super::A; use crate::Root; pub struct B(A, Root);"),
        ];
        assert_eq!(circles("ancestors", &sources), Vec::<String>::new());
    }

    #[test]
    fn a_circle_through_the_parent_of_another_module_is_found() {
        let sources = [
            ("lib.rs", "mod a; mod d;"),
            ("a/mod.rs", "mod b; use b::B; pub struct A(B);"),
            ("a/b.rs", "use crate::d::D; pub struct B(D);"),
            ("d.rs", "use crate::a::A; pub struct D(Box<A>);"),
        ];
        assert_eq!(circles("parents", &sources).len(), 1);
    }

    #[test]
    fn tests_may_import_anything() {
        let sources = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "pub struct A; #[cfg(test)] mod tests { use crate::b::B; fn f(_: B) {} }"),
            ("b.rs", "use crate::a::A; pub struct B(A);"),
        ];
        assert_eq!(circles("tests", &sources), Vec::<String>::new());
    }
}
