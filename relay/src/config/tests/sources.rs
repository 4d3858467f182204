//! The sources of a configuration: the file, the environment and the flags.

use super::*;
use std::time::Duration;

/// A valid value other than the default for every setting that needs no file and no other setting.
const VALUES: [(&str, &str); 62] = [
    ("listen", "127.0.0.1:1"),
    ("socket_mode", "0600"),
    ("proxy_terminates_tls", "true"),
    ("trusted_proxies", "10.1.2.3/8, 2001:db8::1"),
    ("replay_window", "30s"),
    ("replay_bytes", "1MiB"),
    ("queue_bytes", "2MiB"),
    ("heartbeat", "5s"),
    ("hello_timeout", "5s"),
    ("max_connections", "5"),
    ("max_connections_per_address", "5"),
    ("max_sessions_per_app", "5"),
    ("max_sessions_per_installation", "5"),
    ("max_sessions_per_account", "5"),
    ("max_subscriptions", "5"),
    ("max_subscriptions_per_app", "5"),
    ("publish_rate", "5"),
    ("publish_burst", "500"),
    ("publish_byte_rate", "1MiB"),
    ("publish_byte_burst", "2MiB"),
    ("publish_rate_per_app", "5"),
    ("publish_burst_per_app", "500"),
    ("replay_rate", "1MiB"),
    ("replay_burst", "1MiB"),
    ("replay_rate_per_session", "1MiB"),
    ("replay_burst_per_session", "1MiB"),
    ("presence_grace", "5s"),
    ("max_presence_members", "7"),
    ("max_presence_members_per_account", "7"),
    ("max_presence_bytes", "64KiB"),
    ("max_presence_entry_bytes", "1KiB"),
    ("max_presence_channels", "7"),
    ("presence_rate", "7"),
    ("presence_burst", "7"),
    ("disconnect_rate", "5"),
    ("disconnect_burst", "5"),
    ("frame_rate", "5"),
    ("frame_burst", "5"),
    ("byte_rate", "1MiB"),
    ("byte_burst", "2MiB"),
    ("allowed_origins", "forge, https://*.example.com"),
    ("memory_bytes", "128MiB"),
    ("idle_timeout", "30s"),
    ("header_timeout", "5s"),
    ("keep_alive_timeout", "75s"),
    ("max_header_bytes", "32KiB"),
    ("body_timeout", "5s"),
    ("write_timeout", "5s"),
    ("admin_listen", "127.0.0.1:2"),
    ("admin_public", "true"),
    ("drain_window", "1s"),
    ("drain_deadline", "20s"),
    ("broker", "nats://nats-1:4222"),
    ("broker_prefix", "staging"),
    ("broker_streams", "8"),
    ("broker_replicas", "1"),
    ("broker_bytes", "64MiB"),
    ("broker_timeout", "8s"),
    ("log", "info,audit=off"),
    ("log_format", "json"),
    ("otlp_endpoint", "https://collector:4318"),
    ("trace_ratio", "0.5"),
];

#[test]
fn flags_override_variables_and_variables_override_the_file() {
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
fn every_setting_is_read_from_all_three_sources() {
    for (key, value) in VALUES {
        let setting = setting(key);
        let from_file = load(&format!("{key} = \"{value}\"\n{}", app("a", "k"))).unwrap();
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
    // The others need files or each other: `transport_settings_are_read_from_all_three_sources`, the tests of `broker`,
    // `apps_come_from_a_directory_that_all_three_sources_can_name` and
    // `the_token_of_operators_is_read_from_all_three_sources`.
    assert_eq!(Setting::ALL.len(), VALUES.len() + 3 + 7 + 1 + 1);
}

#[test]
fn an_app_has_several_keys_from_the_file_from_key_files_and_from_a_variable() {
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
fn the_token_of_operators_is_read_from_all_three_sources() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    let named = path.display().to_string();
    let listening = format!("admin_listen = \"127.0.0.1:2\"\n{}", app("a", "k"));
    let load_all = || {
        let file = load(&format!("admin_token_file = \"{named}\"\n{listening}"));
        let variables = [("SEALWIRE_RELAY_ADMIN_TOKEN_FILE", &*named)];
        let flags = Overrides::default().with(setting("admin_token_file"), Some(named.clone()));
        [file, load_with(&listening, &variables, &Overrides::default()), load_with(&listening, &[], &flags)]
    };
    let token = "x".repeat(32);
    for text in [token.clone(), format!("{token}\n")] {
        fs::write(&path, text).unwrap();
        for config in load_all().map(Result::unwrap) {
            assert!(config.admin_token.is_some_and(|read| read.is(&token)));
            assert!(config.secret_files.contains(&path));
        }
    }
    for text in ["x".repeat(31), "x".repeat(1025), "x y".repeat(20), "\u{e9}".repeat(40), String::new()] {
        fs::write(&path, &text).unwrap();
        for error in load_all().map(Result::unwrap_err) {
            let error = error.to_string();
            assert!(error.starts_with("setting admin_token_file: the file "), "{error}");
            assert!(text.is_empty() || !error.contains(&text), "{error}");
        }
    }
    fs::write(&path, &token).unwrap();
    let alone = load(&format!("admin_token_file = \"{named}\"\n{}", app("a", "k"))).unwrap_err();
    assert!(alone.to_string().contains("set admin_listen as well"), "{alone}");
}

#[test]
fn relative_paths_start_at_the_configuration_file() {
    let (directory, _) = tls_files();
    let path = directory.path().join("relay.toml");
    let text = format!("tls_certificate = \"chain.pem\"\ntls_key = \"key.pem\"\n{}", app("a", "k"));
    fs::write(&path, text).unwrap();
    assert!(Config::load(Some(&path), [], &Overrides::default()).unwrap().tls.is_some());
}

#[test]
fn transport_settings_are_read_from_all_three_sources() {
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
