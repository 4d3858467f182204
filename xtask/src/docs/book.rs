//! The book: the Markdown files at their own paths below `target/docs-book/src`, with links that lead within the book
//! or to the repository's site, built by mdBook.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{
    SITE, mdbook,
    pages::{self, Pages},
};
use crate::{
    files,
    links::{Link, Markdown, REPOSITORY, repository_path},
    step,
    workspace::Workspace,
};

/// Images that a page shows are copied beside it.
const IMAGES: [&str; 6] = ["gif", "png", "svg", "webp", "jpg", "avif"];

pub(super) fn build(workspace: &Workspace, output: &Path) -> Result<()> {
    let mdbook = mdbook::program(workspace)?;
    step::building("the book");
    let book = workspace.target.join("docs-book");
    files::empty_folder(&book)?;
    for file in files::below(&workspace.root.join(SITE).join("book")) {
        let name =
            file.strip_prefix(workspace.root.join(SITE).join("book")).context("it lies in the folder")?;
        files::copy(&file, &book.join(name))?;
    }
    let source = book.join("src");
    let pages = pages::find(workspace)?;
    for page in pages.keys() {
        copy_page(workspace, &pages, page, &source)?;
    }
    files::write(&source.join("SUMMARY.md"), pages::summary(&pages))?;
    duct::cmd!(mdbook, "build", "--dest-dir", output, &book)
        .stdout_to_stderr()
        .env("MDBOOK_LOG", "warn")
        .run()
        .context("mdbook failed")?;
    Ok(())
}

fn copy_page(workspace: &Workspace, pages: &Pages, page: &Path, source: &Path) -> Result<()> {
    let mut text = files::read_text(&workspace.root.join(page))?;
    let mut links = Markdown::read(&text).links;
    // From the end, so that the ranges before a replacement stay valid. A link's text may hold an image.
    links.sort_by_key(|link| (link.range.start, link.range.end));
    for Link { target, range } in links.iter().rev() {
        let Some(path) = path_in_repository(page, target) else { continue };
        if path.extension().is_some_and(|end| IMAGES.iter().any(|image| end == *image)) {
            files::copy(&workspace.root.join(&path), &source.join(&path))?;
        }
        let replacement = address(workspace, pages, page, &path, target);
        let end = range.end.min(text.len());
        if let Some(start) = text[range.start..end].rfind(target.as_str()) {
            let start = range.start + start;
            text.replace_range(start..start + target.len(), &replacement);
        }
    }
    files::write(&source.join(page), text)
}

/// The path that a link in `page` leads to, or nothing for anchors of the page itself and for other sites.
fn path_in_repository(page: &Path, target: &str) -> Option<PathBuf> {
    let address = target.split('#').next().unwrap_or_default();
    if let Some(path) = repository_path(address) {
        return Some(path);
    }
    if address.is_empty() || address.contains(':') {
        return None;
    }
    Some(files::normalized(&page.parent()?.join(address)))
}

/// The address of a file of the repository in the book: relative for pages and images, else on the repository's site.
fn address(workspace: &Workspace, pages: &Pages, page: &Path, path: &Path, target: &str) -> String {
    let anchor = target.split_once('#').map(|(_, anchor)| format!("#{anchor}")).unwrap_or_default();
    // A folder on the repository's site shows its README.
    let index = path.join("README.md");
    let path = if pages.contains_key(&index) { index } else { path.to_owned() };
    let is_image = path.extension().is_some_and(|end| IMAGES.iter().any(|image| end == *image));
    if pages.contains_key(&path) || is_image {
        let depth = page.components().count() - 1;
        // mdBook makes index.html of every README.md.
        let path = if path.ends_with("README.md") { path.with_file_name("index.md") } else { path };
        return format!("{}{}{anchor}", "../".repeat(depth), path.display());
    }
    let kind = if workspace.root.join(&path).is_dir() { "tree" } else { "blob" };
    format!("{REPOSITORY}/{kind}/main/{}{anchor}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::tests::temporary;

    #[test]
    fn links_lead_to_pages_of_the_book_or_to_the_repository() {
        let sources = [
            (
                "docs/a.md",
                "[[x](../README.md#y)](b.md) ![i](images/i.png) [d](../deploy) [s](../src/s.rs) [t](#t) [d](../examples/d)",
            ),
            ("docs/images/i.png", "image"),
            ("deploy/x", ""),
        ];
        let root = temporary("book", &sources);
        let workspace = Workspace { target: root.join("target"), root };
        let pages: Pages = ["README.md", "docs/a.md", "docs/b.md", "examples/d/README.md"]
            .map(|file| (PathBuf::from(file), String::new()))
            .into();
        let source = workspace.target.join("src");
        copy_page(&workspace, &pages, Path::new("docs/a.md"), &source).expect("writable");
        let text = files::read_text(&source.join("docs/a.md")).expect("readable");
        let image = source.join("docs/images/i.png").exists();
        std::fs::remove_dir_all(&workspace.root).expect("removable");
        assert!(image, "images are copied");
        for link in [
            "](../index.md#y)",
            "(../docs/images/i.png)",
            &format!("({REPOSITORY}/tree/main/deploy)"),
            &format!("({REPOSITORY}/blob/main/src/s.rs)"),
            "(#t)",
            "(../examples/d/index.md)",
        ] {
            assert!(text.contains(link), "{link} is not in {text}");
        }
    }
}
