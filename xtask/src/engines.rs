//! Finds Firefox, WebKit and a display for the tests in engines other than Chromium, or installs them for root on
//! Debian.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use walkdir::WalkDir;

use crate::{apt, chromium::Chromium, path};

const FIREFOX: [&str; 2] = ["firefox-esr", "firefox"];
const FIREFOX_OF_MACOS: &str = "/Applications/Firefox.app/Contents/MacOS/firefox";
/// The folders where distributions put WebKitGTK's own browser, in a folder named after the library's version.
const LIBRARIES: [&str; 3] = ["/usr/lib", "/usr/lib64", "/usr/libexec"];

/// A program that the tests start.
struct Program {
    name: &'static str,
    /// The environment variable with the path of the program.
    variable: &'static str,
    /// The Debian package with the program.
    package: &'static str,
    search: fn() -> Option<PathBuf>,
}

const PROGRAMS: [Program; 3] = [
    Program { name: "Firefox", variable: "FIREFOX", package: "firefox-esr", search: firefox },
    Program {
        name: "MiniBrowser of WebKitGTK",
        variable: "MINIBROWSER",
        package: "libwebkit2gtk-4.1-0",
        search: minibrowser,
    },
    Program { name: "Xvfb", variable: "XVFB", package: "xvfb", search: || path::find("Xvfb") },
];

/// The paths of the programs.
pub(crate) struct Engines {
    variables: Vec<(&'static str, PathBuf)>,
}

impl Engines {
    pub(crate) fn open() -> Result<Self> {
        let chromium = Chromium::open()?.browser;
        if apt::is_usable() {
            let missing: Vec<_> = PROGRAMS.iter().filter(|program| program.find().is_none()).collect();
            if !missing.is_empty() {
                apt::install(&missing.iter().map(|program| program.package).collect::<Vec<_>>())?;
            }
        }
        let mut variables = vec![("CHROMIUM", chromium)];
        for program in &PROGRAMS {
            variables.push((program.variable, program.find().with_context(|| program.advice())?));
        }
        Ok(Self { variables })
    }

    /// Returns the environment variables by which the tests find the programs.
    pub(crate) fn variables(self) -> Vec<(&'static str, PathBuf)> {
        self.variables
    }
}

impl Program {
    fn find(&self) -> Option<PathBuf> {
        path::named(self.variable).or_else(self.search)
    }

    fn advice(&self) -> String {
        let Self { name, variable, package, .. } = self;
        format!("no {name}: install it (Debian: `apt-get install {package}`), or name it in {variable}")
    }
}

fn firefox() -> Option<PathBuf> {
    let of_macos = || Some(PathBuf::from(FIREFOX_OF_MACOS)).filter(|path| path.exists());
    FIREFOX.iter().find_map(|name| path::find(name)).or_else(of_macos)
}

/// Returns the browser of the newest version of WebKitGTK.
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
