//! Installs iproute2 for root on Debian: chaos on hosts configures their network with it.

use anyhow::Result;

use crate::apt;

/// Installs the program `ip` if it is missing and can be installed. Chaos itself says what it lacks.
pub(crate) fn ensure() -> Result<()> {
    apt::provide("ip", "iproute2").map(drop)
}
