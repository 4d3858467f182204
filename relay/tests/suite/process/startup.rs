//! The commands `init` and `run`.

use crate::support::{App, Terminal, relay_command};
use std::{fs, os::unix::fs::PermissionsExt as _, process::Output};

fn run(arguments: &[&str], directory: &tempfile::TempDir) -> Output {
    relay_command().args(arguments).current_dir(directory).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn init_writes_a_valid_private_configuration_and_prints_the_settings_of_the_app() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(&["init", "--app", "my app", "--host", "rt.example.org"], &directory);
    assert!(output.status.success(), "{output:?}");
    let path = directory.path().join("sealwire-relay.toml");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let config = fs::read_to_string(&path).unwrap();
    let key =
        config.lines().find_map(|line| line.strip_prefix("signing_keys = [\"")?.strip_suffix("\"]")).unwrap();
    sealwire_protocol::tokens::SigningKey::parse(key).unwrap();
    let printed = text(&output.stdout);
    for part in [
        &format!("forge variables set --encrypt SEALWIRE_SIGNING_KEY {key}\n"),
        "forge variables set SEALWIRE_APP 'my app'\n",
        "forge variables set SEALWIRE_URL wss://rt.example.org\n",
        "scopes:\n        - storage:app\n",
        "client:\n            - address: 'wss://rt.example.org'\n              inScopeEUD: true\n",
        "            - address: 'https://rt.example.org'\n              inScopeEUD: true\n          backend:",
        "backend:\n            - address: 'https://rt.example.org'\n              inScopeEUD: true\n",
        "\n    sealwire-relay run\n",
    ] {
        assert!(printed.contains(part), "{part} is not in\n{printed}");
    }
    assert!(run(&["check-config"], &directory).status.success());

    // A second `init` must not replace the keys of a running app.
    let output = run(&["init", "--app", "other"], &directory);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("name another file with --config"), "{output:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), config);
}

#[test]
fn init_for_a_tunnel_prints_shell_variables_and_allows_tunnel_pages() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(&["init", "--local", "--app", "my app", "--config", "my.toml"], &directory);
    assert!(output.status.success(), "{output:?}");
    let printed = text(&output.stdout);
    let config = fs::read_to_string(directory.path().join("my.toml")).unwrap();
    let key =
        config.lines().find_map(|line| line.strip_prefix("signing_keys = [\"")?.strip_suffix("\"]")).unwrap();
    for part in [
        &format!("export FORGE_USER_VAR_SEALWIRE_SIGNING_KEY={key}\n"),
        "export FORGE_USER_VAR_SEALWIRE_APP='my app'\n",
        "export FORGE_USER_VAR_SEALWIRE_URL=ws://localhost:7440\n",
        "\n    sealwire-relay run --config my.toml\n",
    ] {
        assert!(printed.contains(part), "{part} is not in\n{printed}");
    }
    assert!(!printed.contains("forge variables set"), "{printed}");
    let checked = run(&["check-config", "--config", "my.toml"], &directory);
    assert!(text(&checked.stdout).contains("allowed_origins = \"forge, tunnel\""), "{checked:?}");
}

#[test]
fn init_asks_on_a_terminal_and_writes_the_answers() {
    let directory = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(relay_command().arg("init").current_dir(&directory));
    for (question, answer) in [
        ("The app's id, as in manifest.yml [my-app]: ", "poll"),
        ("1 or 2 [1]: ", "2"),
        ("will reach the relay: ", "https://rt.example.org"),
        ("without https://", "rt.example.org"),
        ("relay will listen [127.0.0.1:7440]: ", ""),
    ] {
        terminal.shows(question);
        terminal.types(answer);
    }
    let (status, shown) = terminal.end();
    assert!(status.success(), "{shown}");
    assert!(shown.contains("forge variables set SEALWIRE_URL wss://rt.example.org"), "{shown}");
    let config = fs::read_to_string(directory.path().join("sealwire-relay.toml")).unwrap();
    assert!(config.contains("\nid = \"poll\"\n"), "{config}");

    // An existing file is refused before the first question.
    let (status, shown) = Terminal::start(relay_command().arg("init").current_dir(&directory)).end();
    assert!(!status.success() && shown.contains("name another file with --config"), "{shown}");
}

#[test]
fn init_asks_nothing_with_an_argument_or_without_a_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let (status, shown) =
        Terminal::start(relay_command().args(["init", "--app", "a"]).current_dir(&directory)).end();
    assert!(status.success() && !shown.contains("[my-app]"), "{shown}");
    let directory = tempfile::tempdir().unwrap();
    let (status, shown) =
        Terminal::start(relay_command().args(["init", "--yes"]).current_dir(&directory)).end();
    assert!(status.success() && !shown.contains("[my-app]"), "{shown}");

    let directory = tempfile::tempdir().unwrap();
    let output = run(&["init"], &directory);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("--app is missing: name the app, or add --yes"), "{output:?}");
    let output = run(&["init", "--yes"], &directory);
    assert!(output.status.success(), "{output:?}");
    assert!(text(&output.stdout).contains("forge variables set SEALWIRE_APP my-app\n"), "{output:?}");
}

#[test]
fn every_init_creates_a_new_key() {
    let directory = tempfile::tempdir().unwrap();
    let first = text(&run(&["init", "--app", "a", "--config", "1.toml"], &directory).stdout);
    let second = text(&run(&["init", "--app", "a", "--config", "2.toml"], &directory).stdout);
    assert_ne!(first.replace("1.toml", ""), second.replace("2.toml", ""));
}

#[test]
fn a_relay_that_cannot_start_reports_the_reason_and_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let app = format!("[[app]]\nid = \"a\"\nsigning_keys = [\"{}\"]\n", App::one().key_text);
    fs::write(directory.path().join("good.toml"), &app).unwrap();
    fs::write(directory.path().join("typo.toml"), format!("hartbeat = \"5s\"\n{app}")).unwrap();
    for (arguments, expected) in [
        (&["run"][..], "'sealwire-relay init --app <id>'"),
        (&["--config", "missing.toml"], "missing.toml: cannot be read"),
        (
            &["--config", "typo.toml"],
            "typo.toml: hartbeat: unknown key 'hartbeat'; did you mean 'heartbeat'?",
        ),
        (&["--config", "good.toml", "--listen", "0.0.0.0:0"], "proxy_terminates_tls = true"),
        (
            &["--config", "good.toml", "--listen", "192.0.2.1:80", "--proxy-terminates-tls"],
            "cannot listen on 192.0.2.1:80",
        ),
        (&["--config", "good.toml", "--replay-window", "3m"], "--replay-window: '3m' is not between"),
    ] {
        let output = run(arguments, &directory);
        assert!(!output.status.success());
        let error = text(&output.stderr);
        assert!(error.contains(expected), "{arguments:?}: {error}");
        assert!(!error.contains(&App::one().key_text));
    }
}
