//! Installs the npm packages that package-lock.json locks, and runs their programs.

use std::{ffi::OsString, fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use crate::{files, step, workspace::Workspace};

/// Installs the locked packages, unless all of them are installed.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    let packages = |file: &str| -> Option<Map<String, Value>> {
        let lock: Value = serde_json::from_slice(&files::read(&workspace.root.join(file)).ok()?).ok()?;
        lock.get("packages")?.as_object().cloned()
    };
    let locked = packages("package-lock.json")
        .context("package-lock.json is missing or malformed; restore it from the repository")?;
    if packages("node_modules/.package-lock.json").is_some_and(|installed| is_complete(&locked, &installed)) {
        return Ok(());
    }
    step::installing("npm packages");
    duct::cmd("npm", ["ci"])
        .dir(&workspace.root)
        .stdout_to_stderr()
        .run()
        .context("`npm ci` failed; it needs Node.js 20 or newer and npm")?;
    Ok(())
}

/// Returns true if every locked package is installed in its locked version. Optional packages are left out: they may be
/// for other platforms.
fn is_complete(locked: &Map<String, Value>, installed: &Map<String, Value>) -> bool {
    let is = |package: &Value, property: &str| package.get(property) == Some(&Value::Bool(true));
    locked.iter().filter(|(path, package)| path.contains("node_modules/") && !is(package, "optional")).all(
        |(path, package)| {
            installed.get(path).is_some_and(|found| found.get("version") == package.get("version"))
        },
    )
}

/// Returns the folders of the examples whose package.json has the script, such as `examples/minimal`, sorted.
pub(crate) fn examples_with(workspace: &Workspace, script: &str) -> Result<Vec<String>> {
    let examples = workspace.root.join("examples");
    let mut found = Vec::new();
    for entry in fs::read_dir(&examples).with_context(|| format!("cannot list {}", examples.display()))? {
        let package = entry?.path().join("package.json");
        if !package.exists() {
            continue;
        }
        let manifest: Value = serde_json::from_slice(&files::read(&package)?)
            .with_context(|| format!("{} is malformed", package.display()))?;
        if manifest["scripts"][script].is_string() {
            let folder = package.parent().and_then(|folder| folder.strip_prefix(&workspace.root).ok());
            found.extend(folder.map(|folder| folder.display().to_string()));
        }
    }
    ensure!(!found.is_empty(), "no example has the script {script}");
    found.sort();
    Ok(found)
}

/// A command that runs in the root folder.
pub(crate) struct Program {
    arguments: Vec<OsString>,
    root: std::path::PathBuf,
}

/// Returns the command for a program of an installed package.
pub(crate) fn tool(workspace: &Workspace, name: &str) -> Program {
    let program = workspace.root.join("node_modules/.bin").join(name);
    Program { arguments: vec![program.into()], root: workspace.root.clone() }
}

/// Returns the command that runs a script of this repository with Node.js.
pub(crate) fn script(workspace: &Workspace, path: &str) -> Program {
    Program { arguments: vec!["node".into(), path.into()], root: workspace.root.clone() }
}

impl Program {
    pub(crate) fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub(crate) fn args<A: AsRef<std::ffi::OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Runs the command. Its output goes to stderr, where the steps are.
    pub(crate) fn run(self) -> Result<()> {
        self.expression().stdout_to_stderr().run().with_context(|| self.failure())?;
        Ok(())
    }

    /// Runs the command and returns its output.
    pub(crate) fn read(self) -> Result<String> {
        self.expression().read().with_context(|| self.failure())
    }

    fn expression(&self) -> duct::Expression {
        duct::cmd(&self.arguments[0], &self.arguments[1..]).dir(&self.root)
    }

    fn failure(&self) -> String {
        let name = Path::new(&self.arguments[0]).file_name().unwrap_or_default();
        format!("{} failed", name.to_string_lossy())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{examples_with, is_complete};
    use crate::workspace::Workspace;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn packages_are_complete_when_every_required_one_has_its_locked_version() {
        let locked = object(&json!({
            "": {}, "js": { "version": "0.1.0" },
            "node_modules/a": { "version": "1.0.0" },
            "node_modules/for-another-machine": { "version": "1.0.0", "optional": true },
        }));
        let a = |version: &str| object(&json!({ "node_modules/a": { "version": version } }));
        assert!(is_complete(&locked, &a("1.0.0")));
        assert!(!is_complete(&locked, &a("1.0.1")));
        assert!(!is_complete(&locked, &Map::new()));
    }

    #[test]
    fn the_examples_with_a_script_are_found_without_a_list() {
        let workspace = Workspace::open().unwrap();
        let tested = examples_with(&workspace, "test").unwrap();
        assert!(tested.contains(&"examples/team-dashboard".to_owned()), "{tested:?}");
        assert!(!tested.contains(&"examples/minimal".to_owned()), "{tested:?}");
        assert!(examples_with(&workspace, "no such script").is_err());
    }
}
