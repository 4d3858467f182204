//! Stamps: a file beside some output that says from which inputs it was made, so that a second run does no work twice.

use std::path::{Path, PathBuf};

use anyhow::Result;
use sha2::{Digest, Sha256};

use crate::{files, hex};

/// A digest over everything that an output depends on.
#[derive(Default)]
pub(crate) struct Inputs(Sha256);

impl Inputs {
    /// A setting: a flag, a tool's version.
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.part(text.as_bytes());
        self
    }

    /// A file, or a folder with all that is in it: names and contents.
    pub(crate) fn path(mut self, root: &Path, name: &str) -> Result<Self> {
        for file in files::below(&root.join(name)) {
            self.part(file.strip_prefix(root).unwrap_or(&file).to_string_lossy().as_bytes());
            self.part(&files::read(&file)?);
        }
        Ok(self)
    }

    /// Length first, so that no two lists of parts read the same.
    fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn digest(self) -> String {
        hex::encode(&self.0.finalize())
    }
}

/// The stamp of one output.
pub(crate) struct Stamp {
    file: PathBuf,
    digest: String,
}

impl Stamp {
    pub(crate) fn new(file: PathBuf, inputs: Inputs) -> Self {
        Self { file, digest: inputs.digest() }
    }

    /// Whether the output was made from these inputs and is still there.
    pub(crate) fn is_current(&self, outputs: &[PathBuf]) -> bool {
        files::read_text(&self.file).is_ok_and(|digest| digest == self.digest)
            && outputs.iter().all(|output| output.exists())
    }

    /// Call once the output is complete.
    pub(crate) fn write(&self) -> Result<()> {
        files::write(&self.file, &self.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(folder: &Path) -> Stamp {
        let inputs = Inputs::default().text("flag").path(folder, "source").expect("readable");
        Stamp::new(folder.join("stamp"), inputs)
    }

    #[test]
    fn an_output_is_current_until_an_input_changes_or_it_is_gone() {
        let folder = std::env::temp_dir().join(format!("sealwire-xtask-stamp-{}", std::process::id()));
        let output = [folder.join("output")];
        files::write(&folder.join("source/a"), "1").expect("writable");
        files::write(&output[0], "made").expect("writable");

        assert!(!stamp(&folder).is_current(&output), "never made");
        stamp(&folder).write().expect("writable");
        assert!(stamp(&folder).is_current(&output), "nothing changed");

        files::write(&folder.join("source/a"), "2").expect("writable");
        assert!(!stamp(&folder).is_current(&output), "an input changed");
        stamp(&folder).write().expect("writable");
        files::write(&folder.join("source/b"), "").expect("writable");
        assert!(!stamp(&folder).is_current(&output), "an input was added");
        stamp(&folder).write().expect("writable");
        std::fs::remove_file(&output[0]).expect("removable");
        assert!(!stamp(&folder).is_current(&output), "the output is gone");

        std::fs::remove_dir_all(&folder).expect("removable");
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let (one, other) = (Inputs::default().text("ab").text("c"), Inputs::default().text("a").text("bc"));
        assert_ne!(one.digest(), other.digest());
    }
}
