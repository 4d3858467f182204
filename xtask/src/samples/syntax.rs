//! Blocks that are parsed: JSON, YAML, shell commands and Rust.

use std::sync::LazyLock;

use anyhow::Result;
use regex::Regex;
use serde_json::Value;

use crate::workspace::Workspace;

pub(super) fn json(code: &str) -> Result<(), String> {
    serde_json::from_str::<Value>(code).map(|_| ()).map_err(|error| format!("it is no JSON: {error}"))
}

pub(super) fn yaml(workspace: &Workspace, code: &str) -> Result<Result<(), String>> {
    let command = duct::cmd!("node", "node_modules/yaml/bin.mjs", "valid").dir(&workspace.root);
    parse(&command, "YAML", code)
}

/// `sh` reads the commands and runs none.
pub(super) fn shell(code: &str) -> Result<Result<(), String>> {
    parse(&duct::cmd!("sh", "-n"), "shell script", &without_placeholders(code))
}

/// A whole file, or the statements of a function.
pub(super) fn rust(code: &str) -> Result<(), String> {
    if syn::parse_file(code).is_ok() {
        return Ok(());
    }
    syn::parse_str::<syn::Block>(&format!("{{{code}}}"))
        .map(|_| ())
        .map_err(|error| format!("it is no Rust: {error}"))
}

fn parse(command: &duct::Expression, what: &str, code: &str) -> Result<Result<(), String>> {
    let output = command.stdin_bytes(code).stderr_to_stdout().stdout_capture().unchecked().run()?;
    if output.status.success() {
        return Ok(Ok(()));
    }
    let complaint = String::from_utf8_lossy(&output.stdout);
    // A script's stack trace surrounds the one line that matters.
    let is_error = |line: &&str| ["Error: ", "error: "].iter().any(|word| line.contains(word));
    let line = complaint.lines().find(is_error).or_else(|| complaint.lines().next()).unwrap_or_default();
    Ok(Err(format!("it is no {what}: {line}")))
}

/// `<key id>` stands for a value of the reader's; a shell would take it for a redirection.
fn without_placeholders(code: &str) -> String {
    static PLACEHOLDER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("<[a-z][a-z -]*>").expect("the pattern is valid"));
    PLACEHOLDER.replace_all(code, "placeholder").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_takes_its_own_and_refuses_the_rest() {
        assert!(json("{\"a\": 1}").is_ok() && json("{a: 1}").is_err());
        assert!(
            rust("let x = 1;\nf(x)?;").is_ok()
                && rust("use a::b;\nfn f() {}").is_ok()
                && rust("let = 1;").is_err()
        );
        let is_shell = |code| shell(code).expect("sh runs").is_ok();
        assert!(is_shell("export A=<key id>.<secret>\nif true; then echo; fi\n"));
        assert!(!is_shell("if true; then echo;\n"));
    }
}
