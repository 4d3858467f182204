//! `cargo xtask client-speed`: measures the time to connect and the rate of delivery of a page in Chromium.

use anyhow::{Context, Result};

use crate::{chromium::Chromium, npm, package, relay, workspace::Workspace};

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    npm::install(workspace)?;
    package::build(workspace)?;
    let chromium = Chromium::open()?;
    let relay = relay::build_optimized(workspace)?;
    for script in ["start", "receive"] {
        duct::cmd!("node", format!("tests/e2e/speed/{script}.mjs"))
            .dir(&workspace.root)
            .env("SEALWIRE_TEST_RELAY", &relay)
            .env("CHROMIUM", &chromium.browser)
            .run()
            .context("the measurement failed")?;
    }
    Ok(())
}
