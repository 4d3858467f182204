//! Finds strace for the test that the relay writes nothing to disk, or installs it for root on Debian.

use anyhow::{Result, ensure};

use crate::apt;

/// Installs strace if it is missing. Does nothing outside Linux, where the test does not run.
pub(crate) fn ensure() -> Result<()> {
    if !cfg!(target_os = "linux") || is_there() {
        return Ok(());
    }
    if apt::is_usable() {
        apt::install(&["strace"])?;
    }
    ensure!(is_there(), "no strace: install it (Debian: `apt-get install strace`)");
    Ok(())
}

fn is_there() -> bool {
    let asked = duct::cmd!("strace", "-V").stdout_null().stderr_null().unchecked().run();
    asked.is_ok_and(|output| output.status.success())
}
