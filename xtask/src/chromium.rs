//! Finds Chromium and its driver for the tests that need a browser, or installs both for root on Debian.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::json;

use crate::{apt, files, path, step, workspace::Workspace};

const VARIABLE: &str = "CHROMIUM";
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// Chromium without the code of its windows, which needs half of the processor time for the tests of pages. Playwright too
/// prefers it to the browser without a display.
const HEADLESS_SHELLS: [&str; 2] = ["chromium-headless-shell", "chrome-headless-shell"];
const OF_MACOS: &str = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
/// No sandbox, since root in a container has none, and no traffic that a page did not cause.
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

/// The programs that the tests start.
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

    /// Returns the headless shell, or the browser if `CHROMIUM` names one or the system has no headless shell.
    pub(crate) fn headless_shell(self) -> PathBuf {
        if path::named(VARIABLE).is_some() {
            return self.browser;
        }
        let find = || HEADLESS_SHELLS.iter().find_map(|name| path::find(name));
        if find().is_none() && apt::is_usable() {
            // Other distributions that are derived from Debian have no such package.
            if let Err(error) = apt::install(&HEADLESS_SHELLS[..1]) {
                step::skipping(&format!("the headless shell of Chromium: {error:#}"));
            }
        }
        find().unwrap_or(self.browser)
    }

    /// Writes the capabilities that wasm-bindgen's test runner requests from the driver, and returns the file.
    pub(crate) fn capabilities(&self, workspace: &Workspace) -> Result<PathBuf> {
        let file = workspace.target.join("webdriver.json");
        let options = json!({ "goog:chromeOptions": { "binary": self.browser, "args": ARGUMENTS } });
        files::write(&file, options.to_string())?;
        Ok(file)
    }
}

fn find() -> Option<Chromium> {
    let browser = path::named(VARIABLE)
        .or_else(|| BROWSERS.iter().find_map(|name| path::find(name)))
        .or_else(|| Some(PathBuf::from(OF_MACOS)).filter(|path| path.exists()))?;
    let driver = path::named("CHROMEDRIVER").or_else(|| path::find("chromedriver"))?;
    Some(Chromium { browser, driver })
}
