//! Errors of a configuration: each states its position and how to correct it.

use super::*;

/// Asserts that each text is refused with the position of the error and its correction, and without a signing key.
fn assert_refused(cases: impl IntoIterator<Item = (String, &'static str, &'static str)>) {
    for (text, position, problem) in cases {
        let error = load(&text).expect_err(&text).to_string();
        assert!(error.contains(position), "{position}: {error}");
        assert!(error.contains(problem), "{problem}: {error}");
        assert!(!error.contains("BQUFBQU"), "the message contains a signing key: {error}");
    }
}

#[test]
fn an_error_of_a_setting_states_its_key_and_the_correction() {
    let good = app("a", "k");
    assert_refused([
        (format!("lisen = \"x\"\n{good}"), "lisen", "did you mean 'listen'?"),
        (format!("hello-timeout = \"1s\"\n{good}"), "hello-timeout", "did you mean 'hello_timeout'?"),
        (format!("colour = 1\n{good}"), "colour", "valid names: listen, "),
        (format!("listen = \"localhost\"\n{good}"), "listen", "such as 127.0.0.1:7440"),
        (format!("socket_mode = \"660\"\n{good}"), "socket_mode", "such as \"0660\""),
        (format!("socket_mode = \"0680\"\n{good}"), "socket_mode", "write 0 and three octal digits"),
        (format!("socket_mode = \"+066\"\n{good}"), "socket_mode", "'+066' is not a mode"),
        // The TOML number 0o660 is 432, which looks like a mode.
        (format!("socket_mode = 0o660\n{good}"), "socket_mode", "as text, such as \"0660\""),
        (format!("listen = [\"127.0.0.1:1\"]\n{good}"), "listen", "must be one value, not a list"),
        (format!("proxy_terminates_tls = \"yes\"\n{good}"), "proxy_terminates_tls", "neither true nor false"),
        (format!("replay_window = \"121s\"\n{good}"), "replay_window", "not between 0s and 2m"),
        (format!("replay_window = 60\n{good}"), "replay_window", "write a number and ms, s or m"),
        (format!("replay_bytes = \"1 EB\"\n{good}"), "replay_bytes", "KiB, MiB or GiB"),
        (
            format!("queue_bytes = 1000\n{good}"),
            "queue_bytes",
            "'1000' is below the minimum of 144KiB (one message)",
        ),
        (format!("heartbeat = \"0s\"\n{good}"), "heartbeat", "not between 10ms and 5m"),
        (format!("hello_timeout = \"2m\"\n{good}"), "hello_timeout", "not between 10ms and 1m"),
        (format!("max_connections = -1\n{good}"), "max_connections", "is not a whole number of at least 0"),
        (
            format!("max_header_bytes = \"1KiB\"\n{good}"),
            "max_header_bytes",
            "'1KiB' is not between 8KiB and 64KiB",
        ),
        (
            format!("max_header_bytes = \"1MiB\"\n{good}"),
            "max_header_bytes",
            "'1MiB' is not between 8KiB and 64KiB",
        ),
        (format!("log = \"louder\"\n{good}"), "log", "not a log filter"),
        (format!("log_format = \"jason\"\n{good}"), "log_format", "did you mean 'json'?"),
        (format!("{good}{}", app("a", "other")), "app 2, id", "list all its keys in one place"),
        (format!("memory_bytes = \"1MiB\"\n{good}"), "memory_bytes", "'1MiB' is below the minimum of 64MiB"),
        (
            format!("max_subscriptions = 257\n{good}"),
            "max_subscriptions",
            "'257' is above the maximum of 256 (a limit of the protocol)",
        ),
        (format!("drain_window = \"2m\"\n{good}"), "drain_deadline", "30s is shorter than drain_window (2m)"),
    ]);
}

#[test]
fn an_error_of_an_app_states_its_number_and_the_correction() {
    let good = app("a", "k");
    assert_refused([
        (good.replace("[[app]]", "[[apps]]"), "apps", "did you mean 'app'?"),
        (good.replace("signing_keys", "signing_key"), "app 1", "did you mean 'signing_keys'?"),
        (good.replace("id =", "name ="), "app 1", "unknown key 'name'"),
        (good.replace("id = \"a\"", "id = 5"), "app 1, id", "must be the app's id"),
        (good.replace("id = \"a\"", "id = \"\""), "app 1, id", "1 to 128 bytes"),
        (good.replace("[[app]]", "[app]"), "app", "each under [[app]]"),
        ("app = [5]".into(), "app 1", "must be a table"),
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
    ]);
}

#[test]
fn a_syntax_error_states_its_line() {
    let good = app("a", "k");
    assert_refused([
        (format!("listen = \"127.0.0.1:1\"\n\nheartbeat = 5s\n{good}"), "line 3", "not TOML"),
        (format!("{good}signing_keys = []"), "line 4", "not TOML"),
    ]);
}

#[test]
fn an_error_of_a_variable_names_the_variable() {
    let keys = key("k2", 64);
    for (environment, problem) in [
        (&[("SEALWIRE_RELAY_LISEN", "x")][..], "did you mean 'LISTEN'?"),
        (&[("SEALWIRE_RELAY_HEARTBEAT", "fast")], "SEALWIRE_RELAY_HEARTBEAT: 'fast' is not a duration"),
        (&[("SEALWIRE_RELAY_PORT", "7440")], "SEALWIRE_RELAY_PORT: unknown variable"),
        (&[("SEALWIRE_RELAY_APP", "b")], "SEALWIRE_RELAY_APP: needs SEALWIRE_RELAY_SIGNING_KEYS"),
        (&[("SEALWIRE_RELAY_SIGNING_KEYS", &keys)], "SEALWIRE_RELAY_SIGNING_KEYS: needs SEALWIRE_RELAY_APP"),
        (&[("SEALWIRE_RELAY_APP", "a"), ("SEALWIRE_RELAY_SIGNING_KEYS", &keys)], "is configured twice"),
        (&[("SEALWIRE_RELAY_APP", "b"), ("SEALWIRE_RELAY_SIGNING_KEYS", "b.BQUF")], "64 to 1024 bytes"),
    ] {
        let error = load_with(&app("a", "k"), environment, &Overrides::default()).unwrap_err().to_string();
        assert!(error.starts_with("environment variable SEALWIRE_RELAY_"), "{error}");
        assert!(error.contains(problem), "{problem}: {error}");
    }
    // Kubernetes sets these variables for its Services.
    let kubernetes = [
        ("SEALWIRE_RELAY_PORT", "tcp://10.0.0.1:80"),
        ("SEALWIRE_RELAY_SERVICE_HOST", "10.0.0.1"),
        ("SEALWIRE_RELAY_METRICS_PORT_7441_TCP", "tcp://10.0.0.1:7441"),
        ("SEALWIRE_RELAY_METRICS_SERVICE_PORT_HTTP", "7441"),
    ];
    load_with(&app("a", "k"), &kubernetes, &Overrides::default()).unwrap();
}
