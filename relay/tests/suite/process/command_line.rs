//! The commands `check-config` and `healthcheck`.

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
fn check_config_prints_the_effective_settings_and_no_key() {
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
fn the_exit_status_of_check_config_reports_its_result() {
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
fn check_config_warns_if_max_connections_do_not_fit_into_memory() {
    let directory = tempfile::tempdir().unwrap();
    Certificate::new().write(directory.path());
    let config = |settings: &str| {
        let path = directory.path().display();
        format!("tls_certificate = \"{path}/chain.pem\"\ntls_key = \"{path}/key.pem\"\n{settings}\n{}", app())
    };
    let told = |config: &str| text(&check(config, &[]).stderr).to_owned();
    // A connection over TLS takes more than twice as much memory.
    let warned = told(&config("max_connections = 200000"));
    let room = warned.split_once("memory_bytes has room for ").unwrap().1;
    let fit: usize = room.split(' ').next().unwrap().parse().unwrap();
    assert!((95_000..110_000).contains(&fit) && room.contains("idle connections in TLS"), "{warned}");
    assert!(!told(&format!("max_connections = 200000\n{}", app())).contains("has room"));
    // Each of the two proposals in the warning suffices.
    assert!(!told(&config(&format!("max_connections = {fit}"))).contains("has room"));
    let enough = room.split_once("at least ").unwrap().1.trim();
    assert!(
        !told(&config(&format!("max_connections = 200000\nmemory_bytes = \"{enough}\"")))
            .contains("has room"),
        "{enough}"
    );
}

#[tokio::test]
async fn a_starting_relay_logs_risky_settings() {
    let relay = RelayProcess::start(&["--replay-bytes", "0"]);
    relay.log_with("setting replay_bytes: no publication is kept").await;
}

#[test]
fn healthcheck_succeeds_only_if_the_relay_answers() {
    let healthcheck = |listen: &str| {
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
        let output = healthcheck(&listen);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(text(&output.stdout), format!("the relay at 127.0.0.1:{port} is healthy\n"));
    }
    // A relay at capacity is healthy and must not be restarted.
    let full = RelayProcess::start(&["--max-connections", "0", "--admin-listen", "127.0.0.1:0"]);
    let output = healthcheck(&full.address.to_string());
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
    let output = healthcheck(&format!("127.0.0.1:{port}"));
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot connect to a relay at 127.0.0.1"), "{output:?}");

    // Another server listens on the port.
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        use std::io::Write as _;
        let (mut stream, _) = other.accept().unwrap();
        let _ = stream.write_all(b"220 mail.example.org ESMTP\r\n");
    });
    let output = healthcheck(&address);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}
