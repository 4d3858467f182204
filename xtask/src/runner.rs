//! The wasm-bindgen test runner as a hidden subcommand. cargo starts it for each wasm test binary.

use std::{env, ffi::OsString, path::PathBuf};

use anyhow::{Context, Result};

/// The name of the subcommand.
pub(crate) const NAME: &str = "wasm-bindgen-test-runner";

/// Runs the test binary that cargo names in the arguments.
pub(crate) fn run() -> Result<()> {
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(
        [OsString::from(NAME)].into_iter().chain(env::args_os().skip(2)),
    )
}

/// Returns the value of `CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER`: this program with the hidden subcommand.
pub(crate) fn command() -> Result<OsString> {
    let program: PathBuf = env::current_exe().context("cannot find the running xtask")?;
    let mut command = program.into_os_string();
    command.push(" ");
    command.push(NAME);
    Ok(command)
}
