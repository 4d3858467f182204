//! Adds missing components of the active toolchain with rustup.

use anyhow::{Context, Result};

use super::TARGET;
use crate::step;

pub(super) fn add_target() -> Result<()> {
    run("the wasm32 target", &["target", "add", TARGET])
}

pub(super) fn add_source() -> Result<()> {
    run("the source of std", &["component", "add", "rust-src"])
}

fn run(what: &str, arguments: &[&str]) -> Result<()> {
    step::installing(what);
    duct::cmd("rustup", arguments)
        .run()
        .with_context(|| format!("install it with `rustup {}` and run this again", arguments.join(" ")))?;
    Ok(())
}
