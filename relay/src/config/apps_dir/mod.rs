//! The directory of `apps_dir`: every file `<name>.toml` in it is an app, or several under `[[app]]`. The relay reads it at
//! the start and at every reload.

mod listing;
mod reading;

pub use reading::AppsDir;
