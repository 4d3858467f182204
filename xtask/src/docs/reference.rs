//! The references: TypeDoc for the npm package, rustdoc for the crates that other programs can use.

use std::path::Path;

use anyhow::{Context, Result};

use super::SITE;
use crate::{cargo, files, links::Markdown, npm, step, workspace::Workspace};

/// The crates that other programs can use, each after those on which it depends: rustdoc links an item of another crate only if
/// that crate's pages exist.
const CRATES: [&str; 3] = ["sealwire-protocol", "sealwire-client", "sealwire-relay"];

/// The public entry points of the npm package. TypeDoc reads the sources alone: no core has to be built for it.
pub(super) fn typescript(workspace: &Workspace, output: &Path) -> Result<()> {
    npm::install(workspace)?;
    step::building("the reference of the npm package");
    npm::script(workspace, "xtask/node_modules/typedoc/bin/typedoc")
        .arg("--options")
        .arg(format!("{SITE}/typedoc.json"))
        .args(["--logLevel", "Warn", "--out"])
        .arg(output)
        .run()
}

/// rustdoc writes no page for all crates, but links one.
const INDEX: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Crates</title>\
    <meta http-equiv=\"refresh\" content=\"0; url=../index.html\"><a href=\"../index.html\">Sealwire</a>\n";

/// Fails also if a link of the project's own items leads nowhere.
pub(super) fn rust(workspace: &Workspace, output: &Path) -> Result<()> {
    step::building("the reference of the crates");
    // Pages of items that are gone would stay.
    let built = workspace.target.join("doc");
    files::empty_folder(&built)?;
    for name in CRATES {
        cargo::command([
            "doc",
            "--quiet",
            "--locked",
            "--no-deps",
            "--lib",
            "--all-features",
            "--package",
            name,
        ])
        .dir(&workspace.root)
        .env("RUSTDOCFLAGS", "--deny rustdoc::broken_intra_doc_links --deny rustdoc::private_intra_doc_links")
        .run()
        .context("rustdoc failed")?;
    }
    files::write(&output.join("index.html"), INDEX)?;
    lead_settings_to_the_book(workspace, &built.join("sealwire_relay/struct.Settings.html"))?;
    for file in files::all_below(&built) {
        let name = file.strip_prefix(&built).context("it lies in the folder")?;
        if name != Path::new(".lock") {
            files::copy(&file, &output.join(name))?;
        }
    }
    Ok(())
}

/// The documentation of each setting is also a row of docs/operating.md, so its anchors are those of that page.
fn lead_settings_to_the_book(workspace: &Workspace, page: &Path) -> Result<()> {
    let mut text = files::read_text(page)?;
    let operating = files::read_text(&workspace.root.join("docs/operating.md"))?;
    for anchor in Markdown::read(&operating).anchors {
        if !text.contains(&format!("id=\"{anchor}\"")) {
            let link = format!("href=\"../../book/docs/operating.html#{anchor}\"");
            text = text.replace(&format!("href=\"#{anchor}\""), &link);
        }
    }
    files::write(page, text)
}
