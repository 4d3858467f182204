//! Installs iproute2 for root on Debian: chaos on hosts configures their network with it.

use anyhow::Result;

use crate::apt;

/// Installs the program `ip` if it is missing and can be installed. Chaos itself says what it lacks.
pub(crate) fn ensure() -> Result<()> {
    let asked = duct::cmd!("ip", "-V").stdout_null().stderr_null().unchecked().run();
    let is_there = asked.is_ok_and(|output| output.status.success());
    if !is_there && apt::is_usable() {
        apt::install(&["iproute2"])?;
    }
    Ok(())
}
