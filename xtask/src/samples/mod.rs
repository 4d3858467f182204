//! The check `samples`: every fenced block of the published pages is compiled, parsed or read by the program that it is
//! written for. A block that cannot be checked carries its reason in a comment on the line before it:
//! `<!-- not checked: the reason -->`.

mod blocks;
mod config;
mod scripts;
mod syntax;

use std::path::{Path, PathBuf};

use anyhow::Result;

use self::blocks::Block;
use crate::{
    files,
    links::{self, Fault},
    workspace::Workspace,
};

/// Languages without a grammar to check.
const FREE: [&str; 5] = ["", "text", "http", "console", "mermaid"];

/// Fails with every block that its language rejects. The npm package must be built.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut faults = Vec::new();
    let mut typed = Vec::new();
    for page in pages(workspace) {
        let text = files::read_text(&workspace.root.join(&page))?;
        for block in blocks::read(&page, &text) {
            if block.reason.is_some() || FREE.contains(&block.language.as_str()) {
                continue;
            }
            let result = match block.language.as_str() {
                "js" | "jsx" | "ts" | "tsx" => {
                    typed.push(block);
                    continue;
                }
                "json" => syntax::json(&block.code),
                "yaml" | "yml" => syntax::yaml(workspace, &block.code)?,
                "sh" | "bash" => syntax::shell(&block.code)?,
                "rust" => syntax::rust(&block.code),
                "toml" => config::toml(workspace, &block.code)?,
                other => Err(format!(
                    "no check knows the language `{other}`; use `text`, or put `<!-- not checked: reason -->` before \
                     the block"
                )),
            };
            faults.extend(result.err().map(|problem| block.fault(0, problem)));
        }
    }
    faults.extend(scripts::check(workspace, &typed)?);
    links::report(&faults)
}

/// The READMEs and the pages of `docs/`.
fn pages(workspace: &Workspace) -> Vec<PathBuf> {
    let is_published = |page: &PathBuf| {
        let path = page.as_path();
        path.starts_with("docs") || path == Path::new("README.md") || path.ends_with("pkg/README.md")
    };
    links::pages(workspace).into_iter().filter(is_published).collect()
}

impl Block {
    /// A fault in a line of the block's code, counted from 1; 0 stands for the block.
    fn fault(&self, line: usize, problem: String) -> Fault {
        let link = format!("{} block", self.language);
        Fault { file: self.page.clone(), line: self.line + line, link, problem }
    }
}
