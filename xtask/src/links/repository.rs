//! The Markdown files of the repository: links to files, to folders, to headings, and to the project's own pages on the
//! repository's site.

use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

use anyhow::Result;

use super::{
    external,
    fault::{Fault, line_at, suggestion},
    markdown::{Link, Markdown},
};
use crate::{files, workspace::Workspace};

/// The address of the repository.
pub(crate) const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
/// Pages that a registry shows: they stand alone, so a relative link leads nowhere.
const PUBLISHED: [&str; 1] = ["pkg/README.md"];
/// Folders of build output, which no clone has.
const BUILT: [&str; 4] = ["node_modules", "target", "dist", "generated"];

/// A Markdown file, relative to the repository.
struct Page {
    text: String,
    markdown: Markdown,
}

/// The Markdown files of the repository and `llms.txt`, relative to it.
pub(crate) fn pages(workspace: &Workspace) -> Vec<PathBuf> {
    files::below(&workspace.root)
        .iter()
        .filter_map(|file| file.strip_prefix(&workspace.root).ok())
        .filter(|file| file.extension().is_some_and(|end| end == "md") || *file == Path::new("llms.txt"))
        .map(Path::to_owned)
        .collect()
}

/// Every broken link of the Markdown files.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<Fault>> {
    let mut read = BTreeMap::new();
    for file in pages(workspace) {
        let text = files::read_text(&workspace.root.join(&file))?;
        let markdown = Markdown::read(&text);
        read.insert(file, Page { text, markdown });
    }
    let mut faults = Vec::new();
    for (file, page) in &read {
        let fault = |link: &Link, problem: String| Fault {
            file: file.clone(),
            line: line_at(&page.text, link.range.start),
            link: link.target.clone(),
            problem,
        };
        for link in &page.markdown.links {
            if let Err(problem) = check_link(workspace, &read, file, &link.target) {
                faults.push(fault(link, problem));
            }
        }
        for link in &page.markdown.undefined {
            faults.push(fault(link, "nothing defines this reference; add `[name]: target`".into()));
        }
    }
    Ok(faults)
}

fn check_link(
    workspace: &Workspace,
    pages: &BTreeMap<PathBuf, Page>,
    file: &Path,
    link: &str,
) -> Result<(), String> {
    let (target, anchor) = match link.split_once('#') {
        Some((target, anchor)) => (target, Some(anchor)),
        None => (link, None),
    };
    let path = if target.is_empty() {
        file.to_owned()
    } else if let Some(path) = repository_path(target) {
        path
    } else if let Some(result) = external::check(link) {
        return result;
    } else if PUBLISHED.iter().any(|published| Path::new(published) == file) {
        return Err(format!("a registry shows this page alone; write {REPOSITORY}/blob/main/… instead"));
    } else {
        within(file, target).ok_or("it leads out of the repository; correct the path")?
    };
    exists(workspace, &path)?;
    let Some(anchor) = anchor else { return Ok(()) };
    // The repository's site shows the README of a folder.
    match pages.get(&path).or_else(|| pages.get(&path.join("README.md"))) {
        Some(page) if page.markdown.anchors.contains(anchor) => Ok(()),
        Some(page) => {
            let meant = suggestion(anchor, &page.markdown.anchors, "#");
            Err(format!("{} has no heading with this anchor{meant}", path.display()))
        }
        // Lines of source code, such as `#L10`.
        None if anchor.starts_with('L') => Ok(()),
        None => Err(format!("{} is no Markdown file and has no anchors; remove `#{anchor}`", path.display())),
    }
}

/// The path that an address on the repository's site stands for: `…/blob/main/docs/a.md` is `docs/a.md`.
pub(crate) fn repository_path(address: &str) -> Option<PathBuf> {
    let rest = address.strip_prefix(REPOSITORY)?;
    let rest = rest.strip_prefix("/blob/").or_else(|| rest.strip_prefix("/tree/"))?;
    let (_branch, path) = rest.split_once('/')?;
    Some(path.into())
}

/// The path of a relative link in `file`, relative to the repository.
fn within(file: &Path, target: &str) -> Option<PathBuf> {
    let mut path = file.parent()?.to_owned();
    for part in Path::new(target).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir if path.pop() => {}
            _ => return None,
        }
    }
    Some(path)
}

fn exists(workspace: &Workspace, path: &Path) -> Result<(), String> {
    if path.components().any(|part| BUILT.iter().any(|built| part.as_os_str() == *built)) {
        return Err(format!("{} is build output, which the repository does not hold", path.display()));
    }
    if workspace.root.join(path).exists() {
        return Ok(());
    }
    let folder = workspace.root.join(path).parent().map(Path::to_owned).unwrap_or_default();
    let siblings: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let meant = suggestion(&name, &siblings, "");
    Err(format!("there is no {}; correct the path or remove the link{meant}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::tests::temporary;

    /// The problems of a repository with these files.
    fn problems(name: &str, sources: &[(&str, &str)]) -> Vec<String> {
        let root = temporary(&format!("links-{name}"), sources);
        let workspace = Workspace { target: root.join("target"), root };
        let faults = check(&workspace).expect("readable");
        std::fs::remove_dir_all(&workspace.root).expect("removable");
        faults.iter().map(Fault::to_string).collect()
    }

    #[test]
    fn links_to_files_folders_and_headings_hold() {
        let own = format!("[d]({REPOSITORY}/blob/main/docs/a.md#two)");
        let readme = format!(
            "[a](docs/a.md#one-two) [b](docs) [f](pkg#one) [c](LICENSE) {own} [e](#top) <a id=\"top\"></a>"
        );
        let sources = [
            ("README.md", readme.as_str()),
            ("docs/a.md", "# One, two\n## Two\n[r](../README.md)"),
            ("LICENSE", ""),
            ("pkg/README.md", "# One"),
        ];
        assert_eq!(problems("hold", &sources), Vec::<String>::new());
    }

    #[test]
    fn a_broken_link_is_reported_with_its_place_and_a_suggestion() {
        let sources = [
            (
                "README.md",
                "Text\n\n[a](docs/a.md#one-tow)\n[b](docs/b.md)\n[c](../c.md)\n[d](docs/x.rs#top)\n",
            ),
            ("docs/a.md", "# One two\n"),
            ("docs/x.rs", ""),
            ("pkg/README.md", "[a](../docs/a.md)\n"),
        ];
        let found = problems("broken", &sources);
        assert_eq!(found.len(), 5, "{found:#?}");
        assert!(
            found[0].starts_with("README.md:3: `docs/a.md#one-tow`: docs/a.md has no heading"),
            "{found:#?}"
        );
        assert!(found[0].contains("did you mean `#one-two`?"), "{found:#?}");
        assert!(found[1].starts_with("README.md:4: `docs/b.md`: there is no docs/b.md"), "{found:#?}");
        assert!(found[4].starts_with("pkg/README.md:1:"), "{found:#?}");
    }
}
