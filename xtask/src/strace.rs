//! Finds strace for the test that the relay writes nothing to disk, or installs it for root on Debian.

use anyhow::{Result, ensure};

use crate::apt;

/// Installs strace if it is missing. Does nothing outside Linux, where the test does not run.
pub(crate) fn ensure() -> Result<()> {
    if cfg!(target_os = "linux") {
        ensure!(
            apt::provide("strace", "strace")?,
            "no strace: install it (Debian: `apt-get install strace`)"
        );
    }
    Ok(())
}
