//! `cargo xtask docs`: the documentation site. A start page links the book (mdBook over the Markdown files), the
//! reference of the npm package (TypeDoc) and that of the crates (rustdoc). Everything, search included, works from the
//! file system.

mod book;
mod mdbook;
mod open;
mod pages;
mod reference;

use std::path::Path;

use anyhow::{Result, ensure};

use crate::{files, links, step, workspace::Workspace};

/// The source of the site's own files.
const SITE: &str = "docs/site";

/// The options of the documentation.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Opens the site in the browser.
    #[arg(long)]
    open: bool,
    /// Builds nothing: checks the links of the Markdown files and of the site as it was built last.
    #[arg(long, conflicts_with = "open")]
    check: bool,
}

/// Builds the site into `target/docs` and checks every link.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let site = workspace.target.join("docs");
    if options.check {
        ensure!(site.join("index.html").is_file(), "there is no site yet; build it with `cargo xtask docs`");
    } else {
        build(workspace, &site)?;
    }
    step::checking("links");
    let mut faults = links::check_markdown(workspace)?;
    let (broken, count) = links::check_site(&site)?;
    faults.extend(broken.into_iter().map(|fault| fault.relative_to(&workspace.root)));
    links::report(&faults)?;
    println!("{count} links checked\n{}", site.join("index.html").display());
    if options.open {
        open::in_browser(&site.join("index.html"))?;
    }
    Ok(())
}

fn build(workspace: &Workspace, site: &Path) -> Result<()> {
    files::empty_folder(site)?;
    book::build(workspace, &site.join("book"))?;
    reference::typescript(workspace, &site.join("api"))?;
    reference::rust(workspace, &site.join("rust"))?;
    let sources = workspace.root.join(SITE);
    files::copy(&sources.join("start.html"), &site.join("index.html"))?;
    files::copy(&sources.join("start.css"), &site.join("start.css"))?;
    files::copy(&sources.join("book/theme/favicon.svg"), &site.join("favicon.svg"))?;
    let for_agents = workspace.root.join("llms.txt");
    if for_agents.is_file() {
        files::copy(&for_agents, &site.join("llms.txt"))?;
    }
    Ok(())
}
