//! The pages of the documentation site.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Result;
use percent_encoding::percent_decode_str;

use super::{
    external,
    fault::{Fault, line_at, suggestion},
    html::{self, Html},
};
use crate::files;

/// Every broken link of the site in `folder`, and the number of links.
pub(crate) fn check(folder: &Path) -> Result<(Vec<Fault>, usize)> {
    let mut pages = BTreeMap::new();
    for file in files::all_below(folder).into_iter().filter(|file| is_html(file)) {
        let text = files::read_text(&file)?;
        let html = html::read(&text);
        pages.insert(files::normalized(&file), (text, html));
    }
    let (mut faults, mut count) = (Vec::new(), 0);
    for (file, (text, page)) in &pages {
        count += page.links.len();
        for (link, offset) in &page.links {
            if is_of_a_dependency(folder, file, link) {
                continue;
            }
            if let Err(problem) = check_link(&pages, folder, file, link) {
                let (link, line) = (link.clone(), line_at(text, *offset));
                faults.push(Fault { file: file.clone(), line, link, problem });
            }
        }
    }
    Ok((faults, count))
}

/// The folder of rustdoc's pages.
const RUSTDOC: &str = "rust";

/// rustdoc shows the documentation of blanket implementations, with links such as `super::Span` that only work in the
/// dependency's own pages, and it asks for scripts in `trait.impl` that it writes only if they have content. rustdoc
/// itself checks the links of this project's items.
fn is_of_a_dependency(site: &Path, file: &Path, link: &str) -> bool {
    let path = link.split('#').next().unwrap_or_default();
    file.starts_with(site.join(RUSTDOC))
        && (path.contains("::") || path.contains("trait.impl/") || (!path.is_empty() && !path.contains('.')))
}

fn is_html(file: &Path) -> bool {
    file.extension().is_some_and(|end| end == "html")
}

fn check_link(
    pages: &BTreeMap<PathBuf, (String, Html)>,
    site: &Path,
    file: &Path,
    link: &str,
) -> Result<(), String> {
    if let Some(result) = external::check(link) {
        return result;
    }
    let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = target.split('?').next().unwrap_or_default();
    if target.starts_with('/') {
        return Err("it only works where the site is at the root of a host; use a relative link".into());
    }
    let target = percent_decode_str(target).decode_utf8_lossy();
    let mut path = if target.is_empty() {
        file.to_owned()
    } else {
        files::normalized(&file.parent().unwrap_or(site).join(&*target))
    };
    if path.is_dir() {
        path.push("index.html");
    }
    if !path.starts_with(site) || !path.exists() {
        return Err("the site has no such file; correct the link in the page's source".into());
    }
    // A browser looks for the anchor as written first, and decoded then.
    let raw = anchor;
    let anchor = percent_decode_str(raw).decode_utf8_lossy();
    match redirected(pages, &path) {
        Some(page) if !raw.is_empty() && !has(page, raw) && !has(page, &anchor) => {
            let meant = suggestion(&anchor, &page.anchors, "#");
            Err(format!("that page has no such anchor{meant}; correct the link in the page's source"))
        }
        _ => Ok(()),
    }
}

/// Returns the page at a path, or the one to which it leads. rustdoc's pages of that kind keep the anchor, and their only link is
/// the address.
fn redirected<'a>(pages: &'a BTreeMap<PathBuf, (String, Html)>, path: &Path) -> Option<&'a Html> {
    let (text, page) = pages.get(path)?;
    match (text.contains("http-equiv=\"refresh\""), page.links.as_slice(), path.parent()) {
        (true, [(link, _)], Some(folder)) => {
            let (_, page) = pages.get(&files::normalized(&folder.join(link)))?;
            Some(page)
        }
        _ => Some(page),
    }
}

/// Returns true if a page has an anchor. rustdoc's pages of source code understand `#10-20` as the lines from 10 to 20.
fn has(page: &Html, anchor: &str) -> bool {
    page.anchors.contains(anchor)
        || anchor.split_once('-').is_some_and(|(first, last)| {
            [first, last].iter().all(|line| line.parse::<u32>().is_ok() && page.anchors.contains(*line))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::tests::temporary;

    #[test]
    fn links_between_pages_are_followed_to_their_anchors() {
        let pages = [
            (
                "index.html",
                "<a href=\"book/\"></a><a href=\"api/a%20b.html?x#o%6Ee\"></a><a href=\"#i%3C\" id=\"i%3C\"></a><a href=#none></a>",
            ),
            (
                "book/index.html",
                "<a href=\"../api/missing.html\"></a><a href=\"/api/\"></a>\n<img src=\"x.png\">",
            ),
            (
                "api/a b.html",
                "<p id=one><a href=\"src.html#1-2\"></a><a href=\"old.html#2\"></a>\n<a href=\"old.html#3\"></a>",
            ),
            ("api/old.html", "<meta http-equiv=\"refresh\" content=\"0;URL=src.html\"><a href=src.html></a>"),
            ("api/src.html", "<a id=1></a><a id=2></a>"),
        ];
        let site = temporary("site", &pages);
        let (faults, count) = check(&site).expect("readable");
        std::fs::remove_dir_all(&site).expect("removable");
        let broken: Vec<_> = faults.iter().map(|fault| (fault.link.as_str(), fault.line)).collect();
        let expected =
            [("old.html#3", 2), ("../api/missing.html", 1), ("/api/", 1), ("x.png", 2), ("#none", 1)];
        assert_eq!(broken, expected);
        assert_eq!(count, 11);
    }
}
