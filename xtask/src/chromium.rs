//! Chromium and its driver for the tests that need a browser: found, or installed where that is ours to do.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::json;

use crate::{apt, files, path, workspace::Workspace};

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const OF_MACOS: &str = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
/// Without a sandbox since root in a container has none; without traffic of the browser's own.
const ARGUMENTS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// The programs to drive.
pub(crate) struct Chromium {
    pub(crate) browser: PathBuf,
    pub(crate) driver: PathBuf,
}

impl Chromium {
    pub(crate) fn open() -> Result<Self> {
        if let Some(found) = find() {
            return Ok(found);
        }
        if apt::is_usable() {
            apt::install(&["chromium", "chromium-driver"])?;
        }
        find().context(
            "no Chromium with its driver: install both (Debian: `apt-get install chromium chromium-driver`), \
             or name them in CHROMIUM and CHROMEDRIVER",
        )
    }

    /// Writes the capabilities that wasm-bindgen's test runner asks of the driver.
    pub(crate) fn capabilities(&self, workspace: &Workspace) -> Result<PathBuf> {
        let file = workspace.target.join("webdriver.json");
        let options = json!({ "goog:chromeOptions": { "binary": self.browser, "args": ARGUMENTS } });
        files::write(&file, options.to_string())?;
        Ok(file)
    }
}

fn find() -> Option<Chromium> {
    let browser = path::named("CHROMIUM")
        .or_else(|| BROWSERS.iter().find_map(|name| path::find(name)))
        .or_else(|| Some(PathBuf::from(OF_MACOS)).filter(|path| path.exists()))?;
    let driver = path::named("CHROMEDRIVER").or_else(|| path::find("chromedriver"))?;
    Some(Chromium { browser, driver })
}
