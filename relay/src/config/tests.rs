use super::*;
use crate::settings::Setting;
use sealwire_protocol::encode_base64url;
use std::{fs, time::Duration};

fn setting(key: &str) -> &'static Setting {
    Setting::find(key).unwrap()
}

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
    let flags = Overrides::default().with(setting("heartbeat"), Some("3s".into())).with(setting("log"), None);
    let config = load_with(&text, &environment, &flags).unwrap();
    assert_eq!(config.settings.heartbeat, Duration::from_secs(3));
    assert_eq!(config.settings.hello_timeout, Duration::from_secs(2));
    assert_eq!((config.settings.queue_bytes, &*config.settings.log), (262_144, "warn"));
    assert_eq!(config.settings.replay_window, Duration::from_secs(120));
}

#[test]
fn every_setting_is_read_from_all_three_places() {
    for (setting, value) in [
        (setting("listen"), "127.0.0.1:1"),
        (setting("socket_mode"), "0600"),
        (setting("proxy_terminates_tls"), "true"),
        (setting("trusted_proxies"), "10.1.2.3/8, 2001:db8::1"),
        (setting("replay_window"), "30s"),
        (setting("replay_bytes"), "1MiB"),
        (setting("queue_bytes"), "2MiB"),
        (setting("heartbeat"), "5s"),
        (setting("hello_timeout"), "5s"),
        (setting("max_connections"), "5"),
        (setting("max_connections_per_address"), "5"),
        (setting("max_sessions_per_app"), "5"),
        (setting("max_sessions_per_installation"), "5"),
        (setting("max_sessions_per_account"), "5"),
        (setting("max_subscriptions"), "5"),
        (setting("max_subscriptions_per_app"), "5"),
        (setting("publish_rate"), "5"),
        (setting("publish_burst"), "500"),
        (setting("publish_byte_rate"), "1MiB"),
        (setting("publish_byte_burst"), "2MiB"),
        (setting("publish_rate_per_app"), "5"),
        (setting("publish_burst_per_app"), "500"),
        (setting("replay_rate"), "1MiB"),
        (setting("replay_burst"), "1MiB"),
        (setting("replay_rate_per_session"), "1MiB"),
        (setting("replay_burst_per_session"), "1MiB"),
        (setting("disconnect_rate"), "5"),
        (setting("disconnect_burst"), "5"),
        (setting("frame_rate"), "5"),
        (setting("frame_burst"), "5"),
        (setting("byte_rate"), "1MiB"),
        (setting("byte_burst"), "2MiB"),
        (setting("allowed_origins"), "forge, https://*.example.com"),
        (setting("memory_bytes"), "128MiB"),
        (setting("idle_timeout"), "30s"),
        (setting("head_timeout"), "5s"),
        (setting("keep_alive"), "75s"),
        (setting("head_bytes"), "32KiB"),
        (setting("body_timeout"), "5s"),
        (setting("write_timeout"), "5s"),
        (setting("admin_listen"), "127.0.0.1:2"),
        (setting("admin_public"), "true"),
        (setting("drain_window"), "1s"),
        (setting("drain_deadline"), "20s"),
        (setting("log"), "info,audit=off"),
        (setting("log_format"), "json"),
    ] {
        let from_file = load(&format!("{} = \"{value}\"\n{}", setting.key(), app("a", "k"))).unwrap();
        let variable = format!("SEALWIRE_RELAY_{}", setting.variable());
        let from_environment =
            load_with(&app("a", "k"), &[(&variable, value)], &Overrides::default()).unwrap();
        let flags = Overrides::default().with(setting, Some(value.into()));
        let from_flag = load_with(&app("a", "k"), &[], &flags).unwrap();
        let default = setting.value(&load(&app("a", "k")).unwrap().settings);
        for config in [from_file, from_environment, from_flag] {
            assert_ne!(setting.value(&config.settings), default, "{setting:?}");
        }
    }
    // These need files or each other: `transport_settings_are_read_from_all_three_places`.
    assert_eq!(Setting::ALL.len(), 46 + 3);
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
        (format!("socket_mode = \"660\"\n{good}"), "socket_mode", "such as \"0660\""),
        (format!("socket_mode = \"0680\"\n{good}"), "socket_mode", "write 0 and three octal digits"),
        (format!("socket_mode = \"+066\"\n{good}"), "socket_mode", "'+066' is no mode"),
        // 432, which looks like a mode.
        (format!("socket_mode = 0o660\n{good}"), "socket_mode", "as text, such as \"0660\""),
        (format!("listen = [\"127.0.0.1:1\"]\n{good}"), "listen", "must be one value, not a list"),
        (format!("proxy_terminates_tls = \"yes\"\n{good}"), "proxy_terminates_tls", "neither true nor false"),
        (format!("replay_window = \"121s\"\n{good}"), "replay_window", "not between 0ns and 120s"),
        (format!("replay_window = 60\n{good}"), "replay_window", "write a number and ms, s or m"),
        (format!("replay_bytes = \"1 EB\"\n{good}"), "replay_bytes", "KiB, MiB or GiB"),
        (format!("queue_bytes = 1000\n{good}"), "queue_bytes", "at least 147456"),
        (format!("heartbeat = \"0s\"\n{good}"), "heartbeat", "not between 10ms and 300s"),
        (format!("hello_timeout = \"2m\"\n{good}"), "hello_timeout", "not between 10ms and 60s"),
        (format!("max_connections = -1\n{good}"), "max_connections", "no number of at least 0"),
        (format!("head_bytes = \"1KiB\"\n{good}"), "head_bytes", "'1KiB' is not between 8192 and 65536"),
        (format!("head_bytes = \"1MiB\"\n{good}"), "head_bytes", "'1MiB' is not between 8192 and 65536"),
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
        (&[("SEALWIRE_RELAY_PORT", "7440")], "SEALWIRE_RELAY_PORT: unknown variable"),
        (&[("SEALWIRE_RELAY_APP", "b")], "SEALWIRE_RELAY_APP: needs SEALWIRE_RELAY_SIGNING_KEYS"),
        (&[("SEALWIRE_RELAY_SIGNING_KEYS", &keys)], "SEALWIRE_RELAY_SIGNING_KEYS: needs SEALWIRE_RELAY_APP"),
        (&[("SEALWIRE_RELAY_APP", "a"), ("SEALWIRE_RELAY_SIGNING_KEYS", &keys)], "is there already"),
        (&[("SEALWIRE_RELAY_APP", "b"), ("SEALWIRE_RELAY_SIGNING_KEYS", "b.BQUF")], "64 to 1024 bytes"),
    ] {
        let error = load_with(&app("a", "k"), environment, &Overrides::default()).unwrap_err().to_string();
        assert!(error.starts_with("environment variable SEALWIRE_RELAY_"), "{error}");
        assert!(error.contains(problem), "{problem}: {error}");
    }
    // Kubernetes sets these for Services of these names.
    let kubernetes = [
        ("SEALWIRE_RELAY_PORT", "tcp://10.0.0.1:80"),
        ("SEALWIRE_RELAY_SERVICE_HOST", "10.0.0.1"),
        ("SEALWIRE_RELAY_METRICS_PORT_7441_TCP", "tcp://10.0.0.1:7441"),
        ("SEALWIRE_RELAY_METRICS_SERVICE_PORT_HTTP", "7441"),
    ];
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
    for way in ["(tls_certificate, tls_key)", "set proxy_terminates_tls = true", "listen on 127.0.0.1"] {
        assert!(error.contains(way), "{error}");
    }
    let (_directory, tls) = tls_files();
    let text = format!("listen = \"0.0.0.0:1\"\n{tls}{}", app("a", "k"));
    assert!(load(&text).unwrap().tls.is_some());
}

#[test]
fn the_template_is_a_good_configuration_with_the_defaults_that_trusts_a_proxy_on_its_machine() {
    for id in ["team-dashboard", "ari:cloud:ecosystem::app/1", "with \"quotes\" and \\"] {
        let new = NewApp::generate(id.into()).unwrap();
        let config = load(&template(&new, "127.0.0.1:7440".parse().unwrap(), false)).unwrap();
        let defaults = Config {
            keyring: config.keyring.clone(),
            secret_files: config.secret_files.clone(),
            settings: Settings { trusted_proxies: "127.0.0.1".parse().unwrap(), ..Settings::default() },
            ..Config::default()
        };
        assert_eq!(format!("{config:?}"), format!("{defaults:?}"));
        assert_eq!(Config { secret_files: Vec::new(), ..config.clone() }.risks(), []);
        let (kid, _) = new.signing_key.split_once('.').unwrap();
        assert_eq!(config.keyring.find(kid).map(|(app, _)| app), Some(id));
    }
}

#[test]
fn the_template_has_every_setting_with_its_default_ready_to_be_uncommented() {
    let new = NewApp::generate("a".into()).unwrap();
    let text = template(&new, "127.0.0.1:7440".parse().unwrap(), false);
    for setting in Setting::ALL {
        let line = format!("# {} = ", setting.key());
        let is_set = ["listen", "trusted_proxies"].contains(&setting.key());
        assert_eq!(text.lines().filter(|other| other.starts_with(&line)).count(), usize::from(!is_set));
    }
    let uncommented = text.lines().map(|line| match line.strip_prefix("# ") {
        Some(rest) if Setting::find(rest.split(' ').next().unwrap()).is_some() && rest.contains(" = ") => {
            rest
        }
        _ => line,
    });
    let config = load(&uncommented.collect::<Vec<_>>().join("\n")).unwrap();
    let trusted_proxies = "127.0.0.1".parse().unwrap();
    assert_eq!(config.settings, Settings { trusted_proxies, ..Settings::default() });
    assert!(text.lines().all(|line| line.chars().count() <= 104 || line.starts_with("signing_keys")));
}

/// The directory of a certificate and its key, and the settings that name them.
fn tls_files() -> (tempfile::TempDir, String) {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("chain.pem"), certified.cert.pem()).unwrap();
    fs::write(directory.path().join("key.pem"), certified.signing_key.serialize_pem()).unwrap();
    let place = directory.path().display();
    let text = format!("tls_certificate = \"{place}/chain.pem\"\ntls_key = \"{place}/key.pem\"\n");
    (directory, text)
}

#[test]
fn transport_settings_are_read_from_all_three_places() {
    let (directory, text) = tls_files();
    let text = format!("{text}proxy_protocol = true\ntrusted_proxies = [\"10.0.0.0/8\"]\n{}", app("a", "k"));
    let from_file = load(&text).unwrap();
    let at = |name: &str| directory.path().join(name).display().to_string();
    let values = [
        (setting("tls_certificate"), at("chain.pem")),
        (setting("tls_key"), at("key.pem")),
        (setting("proxy_protocol"), "true".to_owned()),
        (setting("trusted_proxies"), "10.0.0.0/8".to_owned()),
    ];
    let variables = values
        .each_ref()
        .map(|(setting, value)| (format!("SEALWIRE_RELAY_{}", setting.variable()), value.clone()));
    let variables = variables.each_ref().map(|(name, value)| (name.as_str(), value.as_str()));
    let from_environment = load_with(&app("a", "k"), &variables, &Overrides::default()).unwrap();
    let flags = values
        .into_iter()
        .fold(Overrides::default(), |flags, (setting, value)| flags.with(setting, Some(value)));
    let from_flags = load_with(&app("a", "k"), &[], &flags).unwrap();
    for config in [&from_file, &from_environment, &from_flags] {
        assert!(config.tls.is_some() && config.settings.proxy_protocol);
        assert_eq!(config.settings.trusted_proxies.to_string(), "10.0.0.0/8");
        assert_eq!(config.effective(), from_file.effective());
    }
}

#[test]
fn files_are_looked_for_beside_the_configuration() {
    let (directory, _) = tls_files();
    let path = directory.path().join("relay.toml");
    let text = format!("tls_certificate = \"chain.pem\"\ntls_key = \"key.pem\"\n{}", app("a", "k"));
    fs::write(&path, text).unwrap();
    assert!(Config::load(Some(&path), [], &Overrides::default()).unwrap().tls.is_some());
}

#[test]
fn a_transport_that_contradicts_itself_is_refused_with_what_to_do() {
    let (_directory, tls) = tls_files();
    let (certificate, key) = tls.trim_end().split_once('\n').unwrap();
    for (text, problem) in [
        (certificate.to_owned(), "setting tls_key: is missing; tls_certificate needs it"),
        (key.to_owned(), "setting tls_certificate: is missing; tls_key needs it"),
        (format!("{tls}proxy_terminates_tls = true"), "so who ends TLS?"),
        (format!("{tls}listen = \"unix:/run/relay.sock\""), "remove tls_certificate and tls_key"),
        ("proxy_protocol = true".into(), "name their addresses in trusted_proxies"),
        ("proxy_protocol = true\nlisten = \"systemd\"".into(), "name their addresses in trusted_proxies"),
        ("trusted_proxies = \"10.0.0.0/33\"".into(), "'10.0.0.0/33' is no address and no network"),
        ("trusted_proxies = [\"10.0.0.1\", \"proxy\"]".into(), "'proxy' is no address and no network"),
        ("trusted_proxies = [5]".into(), "must be one value, not a list"),
        ("listen = \"unix:relay.sock\"".into(), "needs the whole path of the socket"),
        ("listen = \"unix:/\"".into(), "needs the whole path of the socket"),
    ] {
        let error = load(&format!("{text}\n{}", app("a", "k"))).expect_err(&text).to_string();
        assert!(error.contains(problem), "{text}: {error}");
    }
    for good in [
        "listen = \"unix:/run/relay.sock\"\nproxy_protocol = true",
        "listen = \"unix:/run/relay.sock\"\nproxy_terminates_tls = true",
        "listen = \"systemd\"",
        "listen = \"0.0.0.0:1\"\nproxy_terminates_tls = true\ntrusted_proxies = \"10.0.0.1\"",
        "tls_certificate = \"off\"\ntls_key = \"off\"\ntrusted_proxies = \"\"",
    ] {
        load(&format!("{good}\n{}", app("a", "k"))).expect(good);
    }
}
