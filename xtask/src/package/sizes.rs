//! What the package weighs: as it lies on disk, and as a server sends it.

use std::io::Write as _;

use anyhow::Result;
use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, write::GzEncoder};

use crate::{files, workspace::Workspace};

/// Prints every script in pkg/dist, CommonJS twins aside.
pub(crate) fn print(workspace: &Workspace) -> Result<()> {
    let dist = workspace.root.join("pkg/dist");
    println!("{:<32} {:>10} {:>10} {:>10}", "pkg/dist", "raw", "gzip", "brotli");
    for file in files::below(&dist).into_iter().filter(|file| file.extension().is_some_and(|end| end == "js"))
    {
        let bytes = files::read(&file)?;
        let name = file.strip_prefix(&dist).unwrap_or(&file).display().to_string();
        println!(
            "{name:<32} {:>10} {:>10} {:>10}",
            kilobytes(bytes.len()),
            kilobytes(gzip(&bytes)?),
            kilobytes(brotli(&bytes)?)
        );
    }
    Ok(())
}

fn gzip(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

fn brotli(mut bytes: &[u8]) -> Result<usize> {
    let mut compressed = Vec::new();
    let settings = BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    brotli::BrotliCompress(&mut bytes, &mut compressed, &settings)?;
    Ok(compressed.len())
}

/// In kilobytes of 1000 bytes, as browsers show them.
#[allow(clippy::cast_precision_loss, reason = "files are far smaller than 2^52 bytes")]
fn kilobytes(bytes: usize) -> String {
    format!("{:.1} kB", bytes as f64 / 1000.0)
}
