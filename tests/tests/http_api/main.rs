//! Tests of `examples/http-api`: the client core receives and opens the messages that Python and curl publish.
#![allow(clippy::unwrap_used)]

mod subscriber;

use sealwire_protocol::{Scope, UnixMillis, encode_base64url};
use sealwire_tests::{Installation, RelayProcess};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output},
};
use subscriber::Subscriber;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn examples() -> PathBuf {
    root().join("examples/http-api")
}

fn vectors(name: &str) -> Value {
    let path = root().join("tests/vectors").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Returns a Python command in the folder of the examples, with the packages of `requirements.txt`.
fn python() -> Command {
    let program = std::env::var_os("SEALWIRE_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let works = Command::new(&program).args(["-c", "import cryptography"]).output();
    assert!(
        works.is_ok_and(|output| output.status.success()),
        "these tests need Python and its package cryptography: python3 -m pip install -r examples/http-api/requirements.txt"
    );
    let mut command = Command::new(program);
    command.current_dir(examples()).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn dashboard() -> Scope {
    let mut scope = Scope::default();
    scope.insert("dashboard", "10001").unwrap();
    scope
}

/// Returns a command that runs `publish.py` for an installation.
fn publish_py(relay: &RelayProcess, installation: &Installation, payload: &str) -> Command {
    let mut command = python();
    command
        .env("SEALWIRE_SIGNING_KEY", &installation.signing_key)
        .env("SEALWIRE_ENCRYPTION_KEY", encode_base64url(installation.encryption_key))
        .args(["publish.py", "--url", &format!("http://127.0.0.1:{}", relay.port)])
        .args(["--app", &installation.app, "--installation", &installation.id])
        .args(["--channel", "absences", "--scope", r#"{"dashboard":"10001"}"#, "--event", "added", payload]);
    command
}

#[test]
fn a_client_opens_messages_that_python_sealed() {
    let installation = Installation::new("team-dashboard");
    let relay = RelayProcess::start(&[&installation], "");
    let mut subscriber = Subscriber::new(&relay, &installation, &dashboard(), "absences");
    for payload in [r#"{"name":"Zoë","until":"2026-12-01"}"#, "0", &format!("\"{}\"", "x".repeat(10_000))] {
        let output = publish_py(&relay, &installation, payload).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let message = subscriber.message();
        assert_eq!((&*message.payload, &*message.event), (payload, "added"));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{}\n", message.position.event_id()));
    }
}

#[test]
fn the_python_example_prints_the_reason_of_a_refusal() {
    let installation = Installation::new("team-dashboard");
    let relay = RelayProcess::start(&[&installation], "");
    let stranger = Installation::new("another-app");
    let output = publish_py(&relay, &stranger, "1").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("TOKEN_UNKNOWN_KEY: "), "{}", stderr(&output));
    let output = publish_py(&relay, &installation, "1").args(["--channel", ""]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("NAME_INVALID: "), "{}", stderr(&output));
}

#[test]
fn the_python_example_agrees_with_the_vectors() {
    let output = python().args(["-m", "unittest"]).output().unwrap();
    assert!(output.status.success() && stderr(&output).contains("Ran 13 tests"), "{}", stderr(&output));
}

#[test]
fn a_client_opens_the_vector_that_curl_published() {
    let (sealed, keys) = (&vectors("sealed.json")[0], &vectors("tokens.json")["keys"][0]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    };
    assert_eq!(sealed["scope"], json!({ "dashboard": "10001" }));
    let installation = Installation {
        app: text(&sealed["app"]),
        id: text(&sealed["installation"]),
        signing_key: text(&keys["signing_key"]),
        encryption_key: hex(sealed["encryption_key"].as_str().unwrap()).try_into().unwrap(),
    };
    assert_eq!(keys["app"], sealed["app"]);
    let relay = RelayProcess::start(&[&installation], "");
    let name = sealed["name"].as_str().unwrap();
    let sealed_at = UnixMillis(sealed["published_at_ms"].as_u64().unwrap());
    let mut subscriber = Subscriber::at(sealed_at, &relay, &installation, &dashboard(), name);
    let publish_sh = |key: &str| {
        Command::new("bash")
            .arg(examples().join("publish.sh"))
            .env("SEALWIRE_URL", format!("http://127.0.0.1:{}", relay.port))
            .env("SEALWIRE_APP", &installation.app)
            .env("SEALWIRE_INSTALLATION", &installation.id)
            .env("SEALWIRE_SIGNING_KEY", key)
            .stdin(File::open(examples().join("batch.json")).unwrap())
            .output()
            .expect("bash, curl and openssl are installed")
    };
    let output = publish_sh(&installation.signing_key);
    assert!(output.status.success(), "{}", stderr(&output));
    let results: Value = serde_json::from_slice(&output.stdout).unwrap();
    let message = subscriber.message();
    assert_eq!(results["results"][0]["eventId"], message.position.event_id());
    assert_eq!((sealed["payload"] == message.payload, sealed["event"] == message.event), (true, true));

    // With a key that is not the app's, curl fails and the relay's reason is on standard output.
    let output = publish_sh(&Installation::new("team-dashboard").signing_key);
    assert_eq!(output.status.code(), Some(22));
    let refused: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(refused["error"]["code"], "TOKEN_UNKNOWN_KEY");
}
