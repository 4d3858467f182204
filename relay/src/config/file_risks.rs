//! The risks of the files and directories that a configuration names.

use super::{error::ConfigOrigin, risk::Risk};
use rustix::fs::{StatVfsMountFlags, statvfs};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

/// The risk of a file with a key that every user of the machine can read or write.
pub(super) fn readable_secret(path: &Path) -> Option<Risk> {
    let mode = fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o007 != 0).then(|| Risk {
        origin: ConfigOrigin::File(path.to_owned(), String::new()),
        problem: format!(
            "contains a key, and its mode {:o} gives every user of the machine access; run 'chmod o= {}'",
            mode & 0o777,
            path.display()
        ),
    })
}

/// The risk of a directory to which every user of the machine can add an app. The volume of a Secret in Kubernetes has such
/// a mode, and is read-only.
pub(super) fn writable_directory(path: &Path) -> Option<Risk> {
    let mode = fs::metadata(path).ok()?.permissions().mode();
    let is_read_only = || statvfs(path).is_ok_and(|system| system.f_flag.contains(StatVfsMountFlags::RDONLY));
    (mode & 0o002 != 0 && !is_read_only()).then(|| Risk {
        origin: ConfigOrigin::File(path.to_owned(), String::new()),
        problem: format!(
            "every user of the machine can add an app to this directory; run 'chmod o-w {}'",
            path.display()
        ),
    })
}

/// The risk of a file in `apps_dir` that looks like an app to a reader, and is none.
pub(super) fn unread_file(path: &Path) -> Risk {
    let problem = "the relay does not read it: an app's file has a name that ends in .toml, and a key's file is named in \
                   signing_key_files; rename it, or remove it";
    Risk { origin: ConfigOrigin::File(path.to_owned(), String::new()), problem: problem.to_owned() }
}
