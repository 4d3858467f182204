//! Checks the paths, commands and settings in `Dockerfile` and `deploy/` against the relay.

mod aws;
mod compose;
mod image;
mod kubernetes;
mod nats;
mod nats_permissions;
mod systemd;

use crate::support::relay_command;
use sealwire_relay::Setting;
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the documents of a YAML file. The short forms of CloudFormation's functions are left out.
fn documents(path: &str) -> Vec<Value> {
    let mut text = read(path);
    for function in ["Ref", "GetAtt", "GetAZs", "Sub", "Select", "FindInMap"] {
        text = text.replace(&format!("!{function} "), "");
    }
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn document(path: &str) -> Value {
    let mut documents = documents(path);
    assert_eq!(documents.len(), 1, "{path}");
    documents.remove(0)
}

/// Returns the instructions of the Dockerfile with their arguments.
fn instructions() -> Vec<(String, String)> {
    let text = read("Dockerfile").replace("\\\n", " ");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    lines
        .map(|line| line.split_once(' ').map(|(name, rest)| (name.to_owned(), words(rest))).unwrap())
        .collect()
}

/// Returns the arguments of the only instruction of this name.
fn instruction(name: &str) -> String {
    let mut found = instructions().into_iter().filter(|(instruction, _)| instruction == name);
    let (Some((_, arguments)), None) = (found.next(), found.next()) else {
        panic!("the Dockerfile must have exactly one {name}")
    };
    arguments
}

fn list(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap()
}

/// Returns the environment variables of the image.
fn image_environment() -> Vec<(String, String)> {
    let pairs = instruction("ENV");
    let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    pairs.split(' ').map(|text| pair(text).unwrap()).collect()
}

fn must_take(arguments: &[&str]) {
    let output = relay_command().args(arguments).arg("--help").output().unwrap();
    assert!(output.status.success(), "the relay does not know {arguments:?}");
}

/// The path of the configuration, if the environment names no other.
const CONFIG: &str = "/etc/sealwire/relay.toml";
/// The file of Compose's secret `signing_key`.
const SIGNING_KEY: &str = "/run/secrets/signing_key";

/// Runs `check-config` and returns its output. The configuration and the files with their absolute paths are below a
/// temporary folder, to which the paths in texts and variables are changed.
fn check_config(configuration: &str, environment: &[(String, String)], files: &[(&str, &str)]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let moved = |text: &str, before: &str| {
        let folders = ["/run/", "/etc/"].map(|folder| format!("{before}{folder}"));
        let target = format!("{before}{}", directory.path().display());
        folders.iter().fold(text.to_owned(), |text, folder| {
            text.replace(folder, &format!("{target}{}", &folder[before.len()..]))
        })
    };
    let write = |path: &str, text: &str| {
        let path = directory.path().join(&path[1..]);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, moved(text, "\"")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    files.iter().for_each(|(path, text)| drop(write(path, text)));
    let named = environment.iter().find(|(name, _)| name == "SEALWIRE_RELAY_CONFIG");
    let config = write(named.map_or(CONFIG, |(_, path)| path), &with_apps_inline(configuration, files));
    let environment = environment.iter().filter(|(name, _)| name != "SEALWIRE_RELAY_CONFIG");
    let output = relay_command()
        .args(["check-config", "--config"])
        .arg(config)
        .envs(environment.map(|(name, value)| (name.clone(), moved(value, ""))))
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{configuration}\n{told}");
    // The limit of open files on this machine does not matter.
    assert_eq!(told.lines().find(|line| !line.contains("LimitNOFILE=")), None, "{configuration}");
    String::from_utf8(output.stdout).unwrap()
}

/// Moves the apps of `apps_dir` into the configuration, for a relay without that setting.
fn with_apps_inline(configuration: &str, files: &[(&str, &str)]) -> String {
    if Setting::ALL.iter().any(|setting| setting.key() == "apps_dir") {
        return configuration.to_owned();
    }
    let lines = configuration.lines().filter(|line| !line.starts_with("apps_dir = "));
    let mut text: String = lines.map(|line| format!("{line}\n")).collect();
    for (_, app) in files.iter().filter(|(path, _)| path.starts_with("/etc/sealwire/apps/")) {
        text += &format!("[[app]]\n{app}");
    }
    text
}

fn setting<'a>(printed: &'a str, key: &str) -> &'a str {
    let found = printed.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
    found.unwrap_or_else(|| panic!("there is no {key} in\n{printed}"))
}

fn seconds(text: &str) -> Duration {
    Duration::from_secs(text.strip_suffix('s').and_then(|seconds| seconds.parse().ok()).unwrap())
}
