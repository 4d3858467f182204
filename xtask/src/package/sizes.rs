//! The sizes of the package: each entry with its static imports, raw and as a server compresses it, and the sum that a page
//! loads once the app's bundler has minified the entry.

use std::{
    collections::BTreeSet,
    io::Write as _,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use anyhow::Result;
use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, write::GzEncoder};
use regex::Regex;

use super::budget::{self, Weight};
use crate::{files, npm, workspace::Workspace};

/// Prints the sizes of every entry, of every build of the core and of a page, and fails if one exceeds its budget.
pub(super) fn report(workspace: &Workspace) -> Result<()> {
    let mut weights = weigh(&workspace.root.join("pkg/dist"))?;
    weights.extend(pages(workspace, &weights)?);
    let budgets = budget::read(workspace)?;
    println!("{:<13} {:>10} {:>10} {:>10} {:>18}", "pkg/dist", "raw", "gzip", "brotli", "budget (brotli)");
    for Weight { name, raw, gzip, brotli } in &weights {
        let budget = budgets.get(name).map_or("none".to_owned(), |budget| kilobytes(budget.brotli));
        let [raw, gzip, brotli] = [raw, gzip, brotli].map(|bytes| kilobytes(*bytes));
        println!("{name:<13} {raw:>10} {gzip:>10} {brotli:>10} {budget:>18}");
    }
    budget::check(&weights, &budgets)
}

/// Measures the entries with their static imports, and the builds of the core. The CommonJS copies are left out: they
/// have about the same sizes.
fn weigh(dist: &Path) -> Result<Vec<Weight>> {
    let mut weights = Vec::new();
    for file in files::below(dist) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let counts = file.parent() == Some(dist) || name.starts_with("core-");
        if !counts || file.extension().is_none_or(|end| end != "js") {
            continue;
        }
        weights.push(measure(name, file)?);
    }
    Ok(weights)
}

/// Measures a script with its static imports.
fn measure(name: String, script: PathBuf) -> Result<Weight> {
    let mut weight = Weight { name, raw: 0, gzip: 0, brotli: 0 };
    for script in with_imports(script)? {
        let bytes = files::read(&script)?;
        weight.raw += bytes.len();
        weight.gzip += gzip(&bytes)?;
        weight.brotli += brotli(&bytes)?;
    }
    Ok(weight)
}

/// Returns the sums that a page loads with each core, and the panel of `sealwire/devtools`. The package contains the entries as
/// reviewers read them; the bundler of every app minifies them, as esbuild does here.
fn pages(workspace: &Workspace, weights: &[Weight]) -> Result<Vec<Weight>> {
    let api = minified(workspace, "index")?;
    let cores = weights.iter().filter_map(|weight| Some((weight.name.strip_prefix("core-")?, weight)));
    let sums = cores.map(|(kind, core)| Weight {
        name: format!("page-{kind}"),
        raw: api.raw + core.raw,
        gzip: api.gzip + core.gzip,
        brotli: api.brotli + core.brotli,
    });
    let panel = Weight { name: "page-devtools".to_owned(), ..minified(workspace, "devtools")? };
    Ok(sums.chain([panel]).collect())
}

/// Measures an entry as the bundler of an app minifies it.
fn minified(workspace: &Workspace, entry: &str) -> Result<Weight> {
    let folder = workspace.root.join("target/package/minified").join(entry);
    files::empty_folder(&folder)?;
    npm::tool(workspace, "esbuild")
        .arg(workspace.root.join(format!("pkg/dist/{entry}.js")))
        .args(["--bundle", "--minify", "--splitting", "--format=esm", "--external:@forge/*"])
        .arg("--log-level=warning")
        .arg(format!("--outdir={}", folder.display()))
        .run()?;
    measure(String::new(), folder.join(format!("{entry}.js")))
}

/// Returns a script and every script that its static imports load.
fn with_imports(entry: PathBuf) -> Result<BTreeSet<PathBuf>> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![entry];
    while let Some(script) = waiting.pop() {
        let text = String::from_utf8(files::read(&script)?)?;
        let folder = script.parent().unwrap_or(Path::new("")).to_owned();
        if reached.insert(script) {
            waiting.extend(static_imports(&text).map(|import| folder.join(import)));
        }
    }
    Ok(reached)
}

/// Returns the files of the package that a script imports statically, in the form that esbuild writes.
fn static_imports(text: &str) -> impl Iterator<Item = &str> {
    static IMPORT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?:\bfrom ?|\bimport )"\./([^"]+\.js)""#).expect("the pattern is valid")
    });
    IMPORT.captures_iter(text).filter_map(|found| Some(found.get(1)?.as_str()))
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

/// Formats a size in kilobytes of 1,000 bytes, as browsers show them.
#[allow(clippy::cast_precision_loss, reason = "files are far smaller than 2^52 bytes")]
fn kilobytes(bytes: usize) -> String {
    format!("{:.1} kB", bytes as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::static_imports;

    #[test]
    fn dynamic_imports_do_not_count() {
        let text = "import {\n  a\n} from \"./chunks/chunk-A.js\";\nimport \"./chunks/chunk-B.js\";import{b}from\"./c.js\";\n\
                    import { useState } from \"react\";\nconst core = await import(\"./chunks/core-js.js\");";
        let found: Vec<_> = static_imports(text).collect();
        assert_eq!(found, ["chunks/chunk-A.js", "chunks/chunk-B.js", "c.js"]);
    }
}
