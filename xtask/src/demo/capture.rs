//! `cargo xtask demo --capture FILE`: screenshots of a scene, put together to an animated GIF.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    animation::{self, Frame},
    prepare,
};
use crate::{chromium::Chromium, files, step, workspace::Workspace};

/// The README shows the file, so a reader waits for it.
const MAX_BYTES: usize = 500_000;

pub(super) fn run(workspace: &Workspace, file: &Path) -> Result<()> {
    let relay = prepare(workspace)?;
    let frames = workspace.target.join("demo/frames");
    files::empty_folder(&frames)?;
    duct::cmd!("node", "xtask/scripts/capture.mjs", "--relay-bin", relay, "--frames", &frames)
        .dir(&workspace.root)
        .env("CHROMIUM", Chromium::open()?.browser)
        .run()
        .context("the scene failed")?;
    step::building("the animation");
    let bytes = animation::encode(&read(&frames)?)?;
    let size = bytes.len();
    files::write(file, bytes)?;
    println!("{} ({} kB)", file.display(), size.div_ceil(1000));
    ensure!(
        size <= MAX_BYTES,
        "the animation has {size} bytes, {MAX_BYTES} are the limit; shorten the scene"
    );
    Ok(())
}

/// The screenshots, in the order of `frames.json`.
fn read(folder: &Path) -> Result<Vec<Frame>> {
    let list: Vec<Value> = serde_json::from_slice(&files::read(&folder.join("frames.json"))?)?;
    list.iter()
        .map(|entry| {
            let file = folder.join(entry["file"].as_str().context("a frame has a file")?);
            let milliseconds = entry["milliseconds"].as_u64().context("a frame has a duration")?;
            Frame::from_png(&files::read(&file)?, milliseconds)
        })
        .collect()
}
