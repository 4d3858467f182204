use super::*;
use sealwire_protocol::encode_base64url;
use std::fs;

fn key(kid: &str, bytes: usize) -> String {
    format!("{kid}.{}", encode_base64url(vec![5; bytes]))
}

fn app(id: &str, kid: &str) -> String {
    format!("[[app]]\nid = \"{id}\"\nsigning_keys = [\"{}\"]\n", key(kid, 64))
}

fn load_with(text: &str, environment: &[(&str, &str)], flags: &Overrides) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("relay.toml");
    fs::write(&path, text).unwrap();
    fs::write(directory.path().join("good.key"), format!("{}\n", key("file", 64))).unwrap();
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(Some(&path), environment, flags)
}

fn load(text: &str) -> Result<Config, ConfigError> {
    load_with(text, &[], &Overrides::default())
}

#[test]
fn flags_win_over_variables_and_these_over_the_file() {
    let text = format!(
        "heartbeat = \"1s\"\nhello_timeout = \"1s\"\nqueue_bytes = 262144\nlog = \"warn\"\n{}",
        app("a", "k")
    );
    let environment =
        [("SEALWIRE_RELAY_HEARTBEAT", "2s"), ("SEALWIRE_RELAY_HELLO_TIMEOUT", "2s"), ("PATH", "/bin")];
    let flags = Overrides::default().with(Setting::Heartbeat, Some("3s".into())).with(Setting::Log, None);
    let config = load_with(&text, &environment, &flags).unwrap();
    assert_eq!(config.heartbeat, Duration::from_secs(3));
    assert_eq!(config.hello_timeout, Duration::from_secs(2));
    assert_eq!((config.queue_bytes, &*config.log), (262_144, "warn"));
    assert_eq!(config.replay_window, Duration::from_secs(120));
}

#[test]
fn every_setting_is_read_from_all_three_places() {
    for (setting, value) in [
        (Setting::Listen, "127.0.0.1:1"),
        (Setting::ProxyTerminatesTls, "true"),
        (Setting::ReplayWindow, "30s"),
        (Setting::ReplayBytes, "1MiB"),
        (Setting::QueueBytes, "2MiB"),
        (Setting::Heartbeat, "5s"),
        (Setting::HelloTimeout, "5s"),
        (Setting::MaxConnections, "5"),
        (Setting::MaxConnectionsPerAddress, "5"),
        (Setting::MaxSessionsPerApp, "5"),
        (Setting::MaxSessionsPerInstallation, "5"),
        (Setting::MaxSessionsPerAccount, "5"),
        (Setting::MaxSubscriptions, "5"),
        (Setting::PublishRate, "5"),
        (Setting::PublishBurst, "500"),
        (Setting::FrameRate, "5"),
        (Setting::FrameBurst, "5"),
        (Setting::ByteRate, "1MiB"),
        (Setting::ByteBurst, "2MiB"),
        (Setting::MemoryBytes, "128MiB"),
        (Setting::IdleTimeout, "30s"),
        (Setting::HeadTimeout, "5s"),
        (Setting::BodyTimeout, "5s"),
        (Setting::AdminListen, "127.0.0.1:2"),
        (Setting::AdminPublic, "true"),
        (Setting::DrainWindow, "1s"),
        (Setting::DrainDeadline, "20s"),
        (Setting::Log, "info,audit=off"),
        (Setting::LogFormat, "json"),
    ] {
        let from_file = load(&format!("{} = \"{value}\"\n{}", setting.key(), app("a", "k"))).unwrap();
        let variable = format!("SEALWIRE_RELAY_{}", setting.variable());
        let from_environment =
            load_with(&app("a", "k"), &[(&variable, value)], &Overrides::default()).unwrap();
        let flags = Overrides::default().with(setting, Some(value.into()));
        let from_flag = load_with(&app("a", "k"), &[], &flags).unwrap();
        let default = setting.value(&load(&app("a", "k")).unwrap());
        for config in [from_file, from_environment, from_flag] {
            assert_ne!(setting.value(&config), default, "{setting:?}");
        }
    }
    assert_eq!(Setting::ALL.len(), 29);
}

#[test]
fn several_apps_have_several_keys_each_also_from_files_and_variables() {
    let text = format!(
        "{}[[app]]\nid = \"b\"\nsigning_keys = [\"{}\", \"{}\"]\nsigning_key_files = [\"good.key\"]\n",
        app("a", "k1"),
        key("k2", 64),
        key("k3", 1024)
    );
    let keys = format!("{},{}", key("k4", 64), key("k5", 64));
    let environment = [("SEALWIRE_RELAY_APP", "c"), ("SEALWIRE_RELAY_SIGNING_KEYS", &*keys)];
    let config = load_with(&text, &environment, &Overrides::default()).unwrap();
    for (kid, app) in [("k1", "a"), ("k2", "b"), ("k3", "b"), ("file", "b"), ("k4", "c"), ("k5", "c")] {
        assert_eq!(config.keyring.find(kid).map(|(app, _)| app), Some(app));
    }
}

#[test]
fn every_fault_of_a_file_is_told_with_its_place_and_what_to_do() {
    let good = app("a", "k");
    for (text, place, problem) in [
        (format!("lisen = \"x\"\n{good}"), "lisen", "did you mean 'listen'?"),
        (format!("hello-timeout = \"1s\"\n{good}"), "hello-timeout", "did you mean 'hello_timeout'?"),
        (format!("colour = 1\n{good}"), "colour", "Known are: listen, "),
        (good.replace("[[app]]", "[[apps]]"), "apps", "did you mean 'app'?"),
        (good.replace("signing_keys", "signing_key"), "app 1", "did you mean 'signing_keys'?"),
        (good.replace("id =", "name ="), "app 1", "unknown key 'name'"),
        (good.replace("id = \"a\"", "id = 5"), "app 1, id", "must be the app's id"),
        (good.replace("id = \"a\"", "id = \"\""), "app 1, id", "1 to 128 bytes"),
        (good.replace("[[app]]", "[app]"), "app", "each under [[app]]"),
        ("app = [5]".into(), "app 1", "must be a table"),
        (format!("listen = \"localhost\"\n{good}"), "listen", "such as 127.0.0.1:7440"),
        (format!("listen = [\"127.0.0.1:1\"]\n{good}"), "listen", "must be one value, not a list"),
        (format!("proxy_terminates_tls = \"yes\"\n{good}"), "proxy_terminates_tls", "neither true nor false"),
        (format!("replay_window = \"121s\"\n{good}"), "replay_window", "not between 0ns and 120s"),
        (format!("replay_window = 60\n{good}"), "replay_window", "write a number and ms, s or m"),
        (format!("replay_bytes = \"1 EB\"\n{good}"), "replay_bytes", "KiB, MiB or GiB"),
        (format!("queue_bytes = 1000\n{good}"), "queue_bytes", "at least 147456"),
        (format!("heartbeat = \"0s\"\n{good}"), "heartbeat", "not between 10ms and 300s"),
        (format!("hello_timeout = \"2m\"\n{good}"), "hello_timeout", "not between 10ms and 60s"),
        (format!("max_connections = -1\n{good}"), "max_connections", "no number of at least 0"),
        (format!("log = \"louder\"\n{good}"), "log", "no log filter"),
        (format!("log_format = \"jason\"\n{good}"), "log_format", "did you mean 'json'?"),
        (format!("{good}{}", app("a", "other")), "app 2, id", "list all its keys in one place"),
        (
            format!("{good}{}", app("b", "k")),
            "app 2, signing_keys, key 1",
            "two signing keys have the kid 'k'",
        ),
        (
            good.replace(&key("k", 64), &key("k", 63)),
            "app 1, signing_keys, key 1",
            "64 to 1024 bytes, 63 were given",
        ),
        (good.replace("k.", "k"), "app 1, signing_keys, key 1", "'<kid>.<base64url secret>'"),
        (good.replace("k.", "k k."), "app 1, signing_keys, key 1", "A-Z a-z 0-9 _ -"),
        ("[[app]]\nid = \"a\"".into(), "app 1, id", "has no signing key"),
        ("[[app]]\nid = \"a\"\nsigning_keys = \"k.x\"".into(), "app 1, signing_keys", "a list of strings"),
        ("[[app]]\nid = \"a\"\nsigning_key_files = [\"none.key\"]".into(), "none.key", "cannot be read"),
        (String::new(), "relay.toml", "sealwire-relay init --app <id>"),
        (format!("listen = \"127.0.0.1:1\"\n\nheartbeat = 5s\n{good}"), "line 3", "not TOML"),
        (format!("{good}signing_keys = []"), "line 4", "not TOML"),
    ] {
        let error = load(&text).expect_err(&text).to_string();
        assert!(error.contains(place), "{place}: {error}");
        assert!(error.contains(problem), "{problem}: {error}");
        assert!(!error.contains("BQUFBQU"), "a signing key is in the message: {error}");
    }
}

#[test]
fn every_fault_of_a_variable_is_told_with_its_name() {
    let keys = key("k2", 64);
    for (environment, problem) in [
        (&[("SEALWIRE_RELAY_LISEN", "x")][..], "did you mean 'LISTEN'?"),
        (&[("SEALWIRE_RELAY_HEARTBEAT", "fast")], "SEALWIRE_RELAY_HEARTBEAT: 'fast' is no duration"),
        (&[("SEALWIRE_RELAY_APP", "b")], "SEALWIRE_RELAY_APP: needs SEALWIRE_RELAY_SIGNING_KEYS"),
        (&[("SEALWIRE_RELAY_SIGNING_KEYS", &keys)], "SEALWIRE_RELAY_SIGNING_KEYS: needs SEALWIRE_RELAY_APP"),
        (&[("SEALWIRE_RELAY_APP", "a"), ("SEALWIRE_RELAY_SIGNING_KEYS", &keys)], "is there already"),
        (&[("SEALWIRE_RELAY_APP", "b"), ("SEALWIRE_RELAY_SIGNING_KEYS", "b.BQUF")], "64 to 1024 bytes"),
    ] {
        let error = load_with(&app("a", "k"), environment, &Overrides::default()).unwrap_err().to_string();
        assert!(error.starts_with("environment variable SEALWIRE_RELAY_"), "{error}");
        assert!(error.contains(problem), "{problem}: {error}");
    }
    // Kubernetes sets these for a service of this name.
    let kubernetes =
        [("SEALWIRE_RELAY_PORT", "tcp://10.0.0.1:80"), ("SEALWIRE_RELAY_SERVICE_HOST", "10.0.0.1")];
    load_with(&app("a", "k"), &kubernetes, &Overrides::default()).unwrap();
}

#[test]
fn plain_text_leaves_the_machine_only_behind_a_proxy() {
    for (listen, allowed) in [
        ("127.0.0.1:1", true),
        ("[::1]:1", true),
        ("0.0.0.0:1", false),
        ("[::]:1", false),
        ("192.0.2.7:1", false),
    ] {
        let text = format!("listen = \"{listen}\"\n{}", app("a", "k"));
        assert_eq!(load(&text).is_ok(), allowed, "{listen}");
        load(&format!("proxy_terminates_tls = true\n{text}")).unwrap();
    }
    let error = load(&format!("listen = \"0.0.0.0:1\"\n{}", app("a", "k"))).unwrap_err().to_string();
    assert!(error.contains("set proxy_terminates_tls = true, or listen on 127.0.0.1"), "{error}");
}

#[test]
fn the_template_is_a_good_configuration_with_the_defaults() {
    for id in ["team-dashboard", "ari:cloud:ecosystem::app/1", "with \"quotes\" and \\"] {
        let new = NewApp::generate(id.into()).unwrap();
        let config = load(&template(&new, "127.0.0.1:7440")).unwrap();
        let defaults = Config {
            keyring: config.keyring.clone(),
            secret_files: config.secret_files.clone(),
            ..Config::default()
        };
        assert_eq!(format!("{config:?}"), format!("{defaults:?}"));
        let (kid, _) = new.signing_key.split_once('.').unwrap();
        assert_eq!(config.keyring.find(kid).map(|(app, _)| app), Some(id));
    }
}
