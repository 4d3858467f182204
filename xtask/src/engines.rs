//! Firefox, WebKit and a display for it, for the tests in other engines than Chromium: found, or installed where that is
//! ours to do.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use walkdir::WalkDir;

use crate::{apt, chromium::Chromium, path};

const FIREFOX: [&str; 2] = ["firefox-esr", "firefox"];
const FIREFOX_OF_MACOS: &str = "/Applications/Firefox.app/Contents/MacOS/firefox";
/// The folders where distributions put WebKitGTK's own browser, in a folder named after the library's version.
const LIBRARIES: [&str; 3] = ["/usr/lib", "/usr/lib64", "/usr/libexec"];

/// The programs to start.
pub(crate) struct Engines {
    chromium: PathBuf,
    firefox: PathBuf,
    minibrowser: PathBuf,
    xvfb: PathBuf,
}

impl Engines {
    pub(crate) fn open() -> Result<Self> {
        Ok(Self {
            chromium: Chromium::open()?.browser,
            firefox: open("Firefox", "FIREFOX", "firefox-esr", firefox)?,
            minibrowser: open("MiniBrowser of WebKitGTK", "MINIBROWSER", "libwebkit2gtk-4.1-0", minibrowser)?,
            xvfb: open("Xvfb", "XVFB", "xvfb", || path::find("Xvfb"))?,
        })
    }

    /// The environment variables that name them to the tests.
    pub(crate) fn variables(&self) -> [(&'static str, &Path); 4] {
        [
            ("CHROMIUM", &self.chromium),
            ("FIREFOX", &self.firefox),
            ("MINIBROWSER", &self.minibrowser),
            ("XVFB", &self.xvfb),
        ]
    }
}

/// The program that the variable names, or that is found, before or after its Debian package was installed.
fn open(name: &str, variable: &str, package: &str, find: fn() -> Option<PathBuf>) -> Result<PathBuf> {
    if let Some(found) = path::named(variable).or_else(find) {
        return Ok(found);
    }
    if apt::is_usable() {
        apt::install(&[package])?;
    }
    find().with_context(|| {
        format!("no {name}: install it (Debian: `apt-get install {package}`), or name it in {variable}")
    })
}

fn firefox() -> Option<PathBuf> {
    let of_macos = || Some(PathBuf::from(FIREFOX_OF_MACOS)).filter(|path| path.exists());
    FIREFOX.iter().find_map(|name| path::find(name)).or_else(of_macos)
}

/// The newest version's.
fn minibrowser() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = LIBRARIES
        .iter()
        .flat_map(|folder| WalkDir::new(folder).max_depth(3).into_iter().filter_map(Result::ok))
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.ends_with("MiniBrowser") && path.to_string_lossy().contains("webkit"))
        .collect();
    found.sort_by_key(|path| path.parent().map(Path::to_path_buf));
    found.pop()
}
