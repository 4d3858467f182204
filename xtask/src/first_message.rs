//! `cargo xtask first-message`: how long a page waits from importing the package to its first message.

use anyhow::{Context, Result};

use crate::{chromium::Chromium, npm, package, relay, workspace::Workspace};

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    npm::install(workspace)?;
    package::build(workspace)?;
    let chromium = Chromium::open()?;
    duct::cmd!("node", "tests/e2e/first-message.mjs")
        .dir(&workspace.root)
        .env("SEALWIRE_TEST_RELAY", relay::build(workspace)?)
        .env("CHROMIUM", chromium.browser)
        .run()
        .context("the measurement failed")?;
    Ok(())
}
