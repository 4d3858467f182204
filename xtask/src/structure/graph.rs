//! A graph of files and their imports, and its circles.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::{Path, PathBuf},
};

/// The imports of a set of files: importing file, imported file, one imported name.
#[derive(Default)]
pub(super) struct Graph {
    edges: BTreeMap<PathBuf, BTreeMap<PathBuf, String>>,
}

impl Graph {
    /// Adds an import. A file that imports itself is ignored.
    pub(super) fn add(&mut self, from: &Path, to: &Path, name: &str) {
        if from != to {
            let imports = self.edges.entry(from.to_owned()).or_default();
            imports.entry(to.to_owned()).or_insert_with(|| name.to_owned());
        }
    }

    /// The shortest circle of every group of files that import each other, as text.
    pub(super) fn circles(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for file in self.edges.keys() {
            if seen.contains(file.as_path()) {
                continue;
            }
            if let Some(circle) = self.shortest_circle(file) {
                seen.extend(self.group(file));
                circles.push(self.describe(&circle));
            }
        }
        circles
    }

    /// The files that `file` imports, directly or not, and that import it.
    fn group(&self, file: &Path) -> BTreeSet<&Path> {
        self.reachable(file).into_iter().filter(|other| self.reachable(other).contains(file)).collect()
    }

    fn reachable(&self, file: &Path) -> BTreeSet<&Path> {
        let mut reached = BTreeSet::new();
        let mut waiting: Vec<&Path> = self.imports(file).collect();
        while let Some(next) = waiting.pop() {
            if reached.insert(next) {
                waiting.extend(self.imports(next));
            }
        }
        reached
    }

    fn imports(&self, file: &Path) -> impl Iterator<Item = &Path> {
        self.edges.get(file).into_iter().flat_map(|imports| imports.keys().map(PathBuf::as_path))
    }

    /// A breadth-first search from `start` back to `start`.
    fn shortest_circle<'graph>(&'graph self, start: &'graph Path) -> Option<Vec<&'graph Path>> {
        let mut importers: BTreeMap<&Path, &Path> = BTreeMap::new();
        let mut waiting = VecDeque::from([start]);
        while let Some(file) = waiting.pop_front() {
            for next in self.imports(file) {
                if next == start {
                    let mut circle = vec![start, file];
                    while let Some(importer) = importers.get(circle[circle.len() - 1]) {
                        circle.push(importer);
                    }
                    circle.reverse();
                    return Some(circle);
                }
                if !importers.contains_key(next) {
                    importers.insert(next, file);
                    waiting.push_back(next);
                }
            }
        }
        None
    }

    /// `a.rs → b.rs (name) → a.rs (name)`: each file with the name that the file before it imports.
    fn describe(&self, circle: &[&Path]) -> String {
        let mut text = circle[0].display().to_string();
        for pair in circle.windows(2) {
            let name = &self.edges[pair[0]][pair[1]];
            text.push_str(&format!("\n      → {} ({name})", pair[1].display()));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::default();
        for (from, to) in edges {
            graph.add(Path::new(from), Path::new(to), "Name");
        }
        graph
    }

    #[test]
    fn files_without_a_circle_pass() {
        assert_eq!(graph(&[("a", "b"), ("b", "c"), ("a", "c"), ("a", "a")]).circles(), Vec::<String>::new());
    }

    #[test]
    fn a_circle_is_described_once_by_its_shortest_way() {
        let circles = graph(&[("x", "a"), ("a", "b"), ("b", "c"), ("c", "a"), ("b", "a")]).circles();
        assert_eq!(circles, ["a\n      → b (Name)\n      → a (Name)"]);
    }

    #[test]
    fn two_separate_circles_are_both_described() {
        assert_eq!(graph(&[("a", "b"), ("b", "a"), ("c", "d"), ("d", "c"), ("b", "c")]).circles().len(), 2);
    }
}
