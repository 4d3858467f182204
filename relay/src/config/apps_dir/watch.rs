//! Decides when the directory is read again. It reads no clock: its caller looks about once a second.

use super::{
    super::{
        Config,
        error::{ConfigError, ConfigOrigin},
    },
    listing::{FileState, Listing},
};
use std::path::{Path, PathBuf};

/// The number of looks after which an unchanged directory is read nevertheless, since some file systems report a change
/// late, or not at all.
const LOOKS_UNTIL_READ: u32 = 60;
/// The number of successive looks with a change after which the directory counts as one that never settles.
const UNSETTLED_LOOKS: u32 = 30;

/// Watches the directory of `apps_dir`. It polls, because network file systems report no changes of other machines.
///
/// A change is read only when two successive looks show the same state, so that a directory in the middle of a change ends
/// no session.
#[derive(Debug, Default)]
pub struct AppsDirWatch {
    /// The state that the configuration was read from; `None` until it is read, and after a refusal.
    known: Option<State>,
    /// The state at the last look, if it differs from `known`.
    pending: Option<State>,
    looks_since_read: u32,
    unsettled_looks: u32,
    /// The text of the last refusal, which is not repeated.
    refusal: Option<String>,
}

/// The result of a look at the directory.
#[derive(Debug)]
#[non_exhaustive]
pub enum Look {
    /// The configuration is that of the directory.
    Unchanged,
    /// The directory has changed, or must be read again, and a later look decides; or it is as invalid as before.
    Pending,
    /// The directory was read. The keys may be the same as before.
    Read(Box<Config>),
    /// The directory is invalid, and the former configuration stays in force.
    Refused(ConfigError),
}

#[derive(Debug, PartialEq, Eq)]
struct State {
    listing: Result<Listing, ConfigError>,
    /// The key files that apps of the directory name.
    key_files: Vec<FileState>,
}

impl State {
    fn of(directory: &Path, key_files: &[PathBuf]) -> Self {
        Self {
            listing: Listing::of(directory),
            key_files: key_files.iter().map(|path| FileState::of(path)).collect(),
        }
    }
}

impl AppsDirWatch {
    /// Looks at the directory of the configuration in force. It blocks while the file system does.
    pub fn look(&mut self, config: &Config) -> Look {
        let Some(directory) = &config.settings.apps_dir else { return Look::Unchanged };
        let now = State::of(directory, &config.apps_dir.key_files);
        self.looks_since_read += 1;
        if self.known.as_ref() == Some(&now) && self.looks_since_read < LOOKS_UNTIL_READ {
            (self.pending, self.unsettled_looks) = (None, 0);
            return Look::Unchanged;
        }
        if self.pending.as_ref() != Some(&now) {
            self.pending = Some(now);
            self.unsettled_looks += 1;
            return self.unsettled(directory);
        }
        (self.pending, self.looks_since_read, self.unsettled_looks) = (None, 0, 0);
        match config.with_apps_dir_read_again() {
            Ok(read) => {
                // If the apps name other key files now, the next look differs, and the directory is read once more.
                self.known = Some(now);
                self.refusal = None;
                Look::Read(Box::new(read))
            }
            Err(error) => {
                self.known = None;
                self.refused(error)
            }
        }
    }

    fn unsettled(&mut self, directory: &Path) -> Look {
        if self.unsettled_looks < UNSETTLED_LOOKS {
            return Look::Pending;
        }
        self.refused(ConfigError {
            origin: ConfigOrigin::File(directory.to_owned(), String::new()),
            problem: "changes all the time, so the relay has not read it; replace each file in one step: write it under a name \
                      that begins with a dot, then rename it"
                .to_owned(),
        })
    }

    fn refused(&mut self, error: ConfigError) -> Look {
        let text = error.to_string();
        if self.refusal.as_ref() == Some(&text) {
            return Look::Pending;
        }
        self.refusal = Some(text);
        Look::Refused(error)
    }
}
