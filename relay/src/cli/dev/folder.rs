//! The folder of a relay for development: `dev.toml` with the app and its key, `tunnel.env` with the variables of
//! `forge tunnel`, and a `.gitignore` that keeps both out of a repository.

use super::super::{app_side, init::check_app, private_file};
use sealwire_relay::{Endpoint, NewApp, template};
use serde::Deserialize;
use std::{
    fs::{self, DirBuilder},
    io,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};
use zeroize::{Zeroize as _, Zeroizing};

const CONFIG: &str = "dev.toml";
const EXPORTS: &str = "tunnel.env";

/// The folder, and the app in its configuration.
pub(super) struct Folder {
    path: PathBuf,
    app: App,
    /// True if this start made the configuration.
    is_new: bool,
}

/// The part of the configuration that `forge tunnel` needs.
#[derive(Deserialize)]
struct DevConfig {
    #[serde(default)]
    app: Vec<App>,
}

#[derive(Deserialize)]
struct App {
    id: String,
    #[serde(default)]
    signing_keys: Vec<String>,
}

impl Folder {
    /// Opens the folder. Creates what it lacks, with this app and address. `new_key` replaces the key of an existing app.
    pub(super) fn open(path: PathBuf, app: &str, listen: SocketAddr, new_key: bool) -> Result<Self, String> {
        check_app(app).map_err(|problem| format!("--app: {problem}"))?;
        let fail = |path: &Path, error: &io::Error| format!("cannot write {}: {error}", path.display());
        if !path.exists() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path)
                .map_err(|error| fail(&path, &error))?;
            let ignored = path.join(".gitignore");
            fs::write(&ignored, "*\n").map_err(|error| fail(&ignored, &error))?;
        }
        let config = path.join(CONFIG);
        let is_new = !config.exists();
        if is_new {
            let app = NewApp::generate(app.to_owned()).map_err(|error| error.to_string())?;
            private_file::create(&config, &template(&app, listen, true))
                .map_err(|error| fail(&config, &error))?;
        } else if new_key {
            let replaced = with_new_key(&config)?;
            private_file::replace(&config, &replaced).map_err(|error| fail(&config, &error))?;
        }
        Ok(Self { app: read(&config)?, path, is_new })
    }

    /// The path of the configuration.
    pub(super) fn config(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// Writes the variables for a relay at this address, and returns their lines.
    pub(super) fn write_exports(&self, address: SocketAddr) -> Result<Zeroizing<String>, String> {
        let path = self.path.join(EXPORTS);
        let exports = app_side::tunnel_exports(&self.app.id, self.app.key(), address);
        private_file::replace(&path, &exports)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(exports)
    }

    /// The text that a developer sees first.
    pub(super) fn introduction(&self, endpoint: &Endpoint, exports: &str) -> Zeroizing<String> {
        let exports = app_side::indented(exports);
        let path = self.path.join(EXPORTS);
        let source = app_side::shell_quoted(&path.display().to_string());
        // A shell looks up a name without a slash in PATH.
        let source = if source.contains('/') { source } else { format!("./{source}") };
        let config = self.config();
        let key = if self.is_new { "a new signing key" } else { "the signing key of the last start" };
        Zeroizing::new(format!(
            "listening on {endpoint}

The relay is for development: it admits the pages of `forge tunnel`, and {config} has {key} and every setting.
In the shell that runs `forge tunnel`, set its variables with

    . {source}

{exports}
Ctrl-C ends the relay. Below is what clients do; times are in UTC.

",
            config = config.display(),
            exports = *exports,
        ))
    }
}

impl App {
    fn key(&self) -> &str {
        self.signing_keys.first().map_or("", String::as_str)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.signing_keys.zeroize();
    }
}

/// Reads the first app with a key.
fn read(config: &Path) -> Result<App, String> {
    let text = read_text(config)?;
    let parsed: DevConfig =
        toml::from_str(&text).map_err(|error| format!("{}: {}", config.display(), error.message()))?;
    let app = parsed.app.into_iter().find(|app| !app.signing_keys.is_empty());
    app.ok_or_else(|| {
        format!(
            "{}: there is no [[app]] with signing_keys, so the variables for `forge tunnel` cannot be written; add one, or \
             remove the file to have a new one written",
            config.display()
        )
    })
}

/// Returns the text of the configuration with a new key in the place of the first one.
fn with_new_key(config: &Path) -> Result<Zeroizing<String>, String> {
    let app = read(config)?;
    let new = NewApp::generate(app.id.clone()).map_err(|error| error.to_string())?;
    Ok(Zeroizing::new(read_text(config)?.replace(app.key(), &new.signing_key)))
}

fn read_text(path: &Path) -> Result<Zeroizing<String>, String> {
    let text =
        fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(Zeroizing::new(text))
}
