//! What an operator asks before and while a relay runs.

use crate::support::{App, Certificate, RelayProcess, relay_command};
use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _, process::Output};

fn check(config: &str, arguments: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("relay.toml");
    fs::write(&path, config).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    relay_command().arg("check-config").arg("--config").arg(path).args(arguments).output().unwrap()
}

fn app() -> String {
    format!("[[app]]\nid = \"a\"\nsigning_keys = [\"{}\"]\n", App::one().key_text)
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

#[test]
fn check_config_prints_what_is_in_force_and_no_key() {
    let output = check(
        &format!("heartbeat = \"5s\"\n{}", app()),
        &["--max-connections", "7", "--max-connections-per-address", "1", "--trusted-proxies", "127.0.0.1"],
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let printed = text(&output.stdout);
    for line in [
        "heartbeat = \"5s\"",
        "max_connections = 7",
        "replay_window = \"2m\"",
        "# app \"a\", signing keys: one",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line} is not in\n{printed}");
    }
    let (_, secret) =
        App::one().key_text.split_once('.').map(|(kid, secret)| (kid, secret[..16].to_owned())).unwrap();
    assert!(!printed.contains(&secret));
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn check_config_ends_with_the_status_that_says_what_it_found() {
    let few = &["--max-connections", "2", "--max-connections-per-address", "1", "--trusted-proxies", "::1"];
    let risky = &[&few[..], &["--replay-window", "0s"]].concat();
    let strict = |arguments: &[&'static str]| [arguments, &["--strict"]].concat();
    for (arguments, status, said) in [
        (few.to_vec(), 0, ""),
        (strict(few), 0, ""),
        (risky.clone(), 0, "warning: setting replay_window: no publication is kept"),
        (strict(risky), 3, "warning: setting replay_window: no publication is kept"),
        (vec!["--max-connections", "18446744073709551615"], 0, "LimitNOFILE="),
        (strict(&["--max-connections", "2"]), 3, "warning: setting trusted_proxies: is empty, so behind"),
        (
            [&few[..4], &["--trusted-proxies", "10.0.0.0/7,::ffff:10.0.0.0/104"]].concat(),
            0,
            "::ffff:10.0.0.0/104 never matches",
        ),
        (
            vec!["--listen", "0.0.0.0:7440", "--proxy-terminates-tls", "--strict"],
            3,
            "every machine that reaches 0.0.0.0:7440",
        ),
        (vec!["--heartbeat", "1h"], 1, "--heartbeat: '1h' is not a duration"),
        (vec!["--hartbeat", "1s"], 2, "'--hartbeat'"),
    ] {
        let output = check(&app(), &arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments:?} {output:?}");
        let told = text(&output.stderr);
        assert!(told.contains(said) && told.is_empty() == said.is_empty(), "{arguments:?} {told}");
    }
}

#[test]
fn check_config_compares_the_limit_on_connections_with_the_memory_for_them() {
    let directory = tempfile::tempdir().unwrap();
    Certificate::new().write(directory.path());
    let config = |settings: &str| {
        let path = directory.path().display();
        format!("tls_certificate = \"{path}/chain.pem\"\ntls_key = \"{path}/key.pem\"\n{settings}\n{}", app())
    };
    let told = |config: &str| text(&check(config, &[]).stderr).to_owned();
    // A connection takes more than four times as much in TLS.
    let warned = told(&config(""));
    let room = warned.split_once("memory_bytes has room for ").unwrap().1;
    let fit: usize = room.split(' ').next().unwrap().parse().unwrap();
    assert!((55_000..70_000).contains(&fit) && room.contains("idle connections in TLS"), "{warned}");
    assert!(!told(&app()).contains("has room"));
    // Either proposal is enough.
    assert!(!told(&config(&format!("max_connections = {fit}"))).contains("has room"));
    let enough = room.split_once("at least ").unwrap().1.trim();
    assert!(!told(&config(&format!("memory_bytes = \"{enough}\""))).contains("has room"), "{enough}");
}

#[tokio::test]
async fn a_relay_tells_at_its_start_what_is_risky() {
    let relay = RelayProcess::start(&["--replay-bytes", "0"]);
    relay.log_with("setting replay_bytes: no publication is kept").await;
}

#[test]
fn healthcheck_succeeds_only_where_the_relay_answers() {
    let asked = |listen: &str| {
        relay_command()
            .args(["healthcheck", "--proxy-terminates-tls", "--listen", listen])
            .env("SEALWIRE_RELAY_APP", "a")
            .env("SEALWIRE_RELAY_SIGNING_KEYS", App::one().key_text)
            .output()
            .unwrap()
    };
    let relay = RelayProcess::start(&[]);
    let port = relay.address.port();
    for listen in [relay.address.to_string(), format!("0.0.0.0:{port}")] {
        let output = asked(&listen);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(text(&output.stdout), format!("the relay at 127.0.0.1:{port} is healthy\n"));
    }
    // One that is full lives, and is not to be restarted.
    let full = RelayProcess::start(&["--max-connections", "0", "--admin-listen", "127.0.0.1:0"]);
    let output = asked(&full.address.to_string());
    assert!(
        output.status.success() && text(&output.stdout).contains("at its limit of connections"),
        "{output:?}"
    );
    let output = relay_command()
        .args(["healthcheck", "--listen", "127.0.0.1:1", "--admin-listen", &full.admin().to_string()])
        .env("SEALWIRE_RELAY_APP", "a")
        .env("SEALWIRE_RELAY_SIGNING_KEYS", App::one().key_text)
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), format!("the relay at {} is healthy\n", full.admin()));

    drop(relay);
    let output = asked(&format!("127.0.0.1:{port}"));
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot connect to a relay at 127.0.0.1"), "{output:?}");

    // Something else on the port.
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        use std::io::Write as _;
        let (mut stream, _) = other.accept().unwrap();
        let _ = stream.write_all(b"220 mail.example.org ESMTP\r\n");
    });
    let output = asked(&address);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}
