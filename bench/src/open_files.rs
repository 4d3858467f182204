//! The limit of open files, which each connection counts against.

use anyhow::{Context as _, Result, ensure};

/// The files that a process of a measurement has open besides its connections.
const OTHERS: u64 = 100;

/// Raises the limit of this process and of the servers that it starts, as far as the system permits. Returns the limit.
pub(crate) fn raise_limit() -> Result<u64> {
    rlimit::increase_nofile_limit(u64::MAX).context("cannot raise the limit of open files")
}

/// Fails if a process with this number of connections needs more files than `limit`.
pub(crate) fn ensure(connections: u64, limit: u64) -> Result<()> {
    let needed = connections + OTHERS;
    ensure!(
        needed <= limit,
        "{connections} connections need {needed} open files, and this user may open {limit} in a process; raise the limit \
         ('ulimit -Hn {needed}' as root, or LimitNOFILE= of a systemd unit), or measure fewer connections"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_connections_for_the_limit_are_refused_with_the_number_of_files_that_they_need() {
        assert!(ensure(900, 1_000).is_ok());
        let error = ensure(10_000, 1_024).unwrap_err().to_string();
        assert!(error.contains("10100 open files") && error.contains("may open 1024"), "{error}");
    }
}
