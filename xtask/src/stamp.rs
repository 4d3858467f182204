//! Stamps: a file beside an output with the digest of its inputs, so that a second run skips work that is done.

use std::path::{Path, PathBuf};

use anyhow::Result;
use sha2::{Digest, Sha256};

use crate::{files, hex};

/// The digest of everything that an output depends on.
#[derive(Default)]
pub(crate) struct Inputs(Sha256);

impl Inputs {
    /// Adds a setting, such as a flag or the version of a tool.
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.part(text.as_bytes());
        self
    }

    /// Adds the name and content of a file, or of every file in a folder.
    pub(crate) fn path(mut self, root: &Path, name: &str) -> Result<Self> {
        for file in files::below(&root.join(name)) {
            self.part(file.strip_prefix(root).unwrap_or(&file).to_string_lossy().as_bytes());
            self.part(&files::read(&file)?);
        }
        Ok(self)
    }

    /// Writes the length first, so that two different lists of parts never produce the same bytes.
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

    /// Returns true if the outputs exist and were made from these inputs.
    pub(crate) fn is_current(&self, outputs: &[PathBuf]) -> bool {
        files::read_text(&self.file).is_ok_and(|digest| digest == self.digest)
            && outputs.iter().all(|output| output.exists())
    }

    /// Records the inputs. The output must be complete.
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
    fn an_output_is_current_until_an_input_changes_or_the_output_is_removed() {
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
    fn the_boundary_between_two_parts_changes_the_digest() {
        let (one, other) = (Inputs::default().text("ab").text("c"), Inputs::default().text("a").text("bc"));
        assert_ne!(one.digest(), other.digest());
    }
}
