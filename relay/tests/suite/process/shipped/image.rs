//! The Dockerfile and the build context.

use super::{instruction, instructions, list, must_take, read, root};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

#[test]
fn the_image_runs_the_built_binary_as_an_unprivileged_user() {
    let binary = list(&instruction("ENTRYPOINT")).remove(0);
    let copies: Vec<_> = instructions().into_iter().filter(|(name, _)| name == "COPY").collect();
    let (from, to) = copies[1].1.strip_prefix("--from=build ").unwrap().split_once(' ').unwrap();
    assert_eq!(to, binary);
    assert!(
        instruction("RUN").contains(&format!("/release/sealwire-relay\" {from}")),
        "no instruction creates {from}"
    );
    must_take(&list(&instruction("CMD")).iter().map(String::as_str).collect::<Vec<_>>());
    let probe = instruction("HEALTHCHECK");
    let probe = list(&probe[probe.find('[').unwrap()..]);
    assert_eq!(probe[0], binary);
    must_take(&probe[1..].iter().map(String::as_str).collect::<Vec<_>>());
    let user: Vec<u32> = instruction("USER").split(':').map(|id| id.parse().unwrap()).collect();
    assert!(user.len() == 2 && user.iter().all(|id| *id > 0));

    let images: Vec<_> =
        instructions().into_iter().filter(|(name, _)| name == "FROM").map(|(_, image)| image).collect();
    let rust = env!("CARGO_PKG_RUST_VERSION");
    assert!(
        images[0].starts_with(&format!("rust:{rust}.")),
        "{images:?}: this workspace is built with {rust}"
    );
    assert_eq!(images[1..], ["scratch"]);
}

#[test]
fn the_image_and_the_published_binaries_have_the_same_features() {
    let builds = [
        read("Dockerfile"),
        read(".github/workflows/release.yml"),
        read("xtask/src/relay.rs").replace("PUBLISHED_FEATURES: &str = \"", "--features "),
    ];
    for build in &builds {
        assert_eq!(build.matches("--features jemalloc").count(), 1, "{build}");
    }
}

#[test]
fn the_build_context_contains_the_workspace_and_no_key() {
    let patterns = read(".dockerignore");
    let patterns: Vec<_> =
        patterns.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(patterns[0], "*", "the first pattern must exclude everything");
    let named: Vec<_> = patterns.iter().filter_map(|pattern| pattern.strip_prefix('!')).collect();
    let never: Vec<_> = patterns.iter().filter_map(|pattern| pattern.strip_prefix("**/")).collect();
    assert_eq!(
        1 + named.len() + never.len(),
        patterns.len(),
        "this test does not recognise all of {patterns:?}"
    );
    for private in ["sealwire-relay.toml", "relay.toml", "deploy", ".git", ".env"] {
        assert!(!named.contains(&private));
    }
    let context = tempfile::tempdir().unwrap();
    for name in named {
        copy(&root().join(name), &context.path().join(name), &never);
    }
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--locked", "--offline", "--no-deps", "--format-version=1"])
        .current_dir(&context)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let is_relay = |package: &&Value| package["name"] == "sealwire-relay";
    let relay = metadata["packages"].as_array().unwrap().iter().find(is_relay).unwrap();
    // `cargo install` installs exactly one program of this name.
    let programs: Vec<_> = relay["targets"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|target| target["kind"] == json!(["bin"]))
        .collect();
    assert_eq!(programs.len(), 1);
    assert_eq!(programs[0]["name"], "sealwire-relay");
}

/// Copies the files that cargo reads.
fn copy(from: &Path, to: &Path, never: &[&str]) {
    if from.is_dir() {
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let name = entry.file_name();
            if !never.iter().any(|never| *never == name) {
                copy(&entry.path(), &to.join(name), never);
            }
        }
    } else if from.extension().is_some_and(|kind| ["rs", "toml", "lock"].iter().any(|known| *known == kind)) {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
}
