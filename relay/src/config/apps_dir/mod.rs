//! The directory of `apps_dir`: every file `<name>.toml` in it is an app, or several under `[[app]]`. The relay reads it at
//! the start and at every reload, and watches it.

mod listing;
mod reading;
mod watch;

pub use reading::AppsDir;
pub use watch::{AppsDirWatch, Look};
