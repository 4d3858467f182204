//! The browser of this machine.

use std::path::Path;

use anyhow::{Context, Result};

/// Opens a file in the default browser.
pub(super) fn in_browser(file: &Path) -> Result<()> {
    let command = if cfg!(target_os = "macos") {
        duct::cmd!("open", file)
    } else if cfg!(windows) {
        duct::cmd!("cmd", "/C", "start", "", file)
    } else {
        duct::cmd!("xdg-open", file)
    };
    command
        .run()
        .with_context(|| format!("no browser could be started; open {} yourself", file.display()))?;
    Ok(())
}
