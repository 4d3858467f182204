//! Checks of the transport settings.

use super::*;

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
fn contradicting_transport_settings_are_refused_with_the_correction() {
    let (_directory, tls) = tls_files();
    let (certificate, key) = tls.trim_end().split_once('\n').unwrap();
    for (text, problem) in [
        (certificate.to_owned(), "setting tls_key: is missing; tls_certificate needs it"),
        (key.to_owned(), "setting tls_certificate: is missing; tls_key needs it"),
        (format!("{tls}proxy_terminates_tls = true"), "either the proxy terminates TLS or the relay does"),
        (format!("{tls}listen = \"unix:/run/relay.sock\""), "remove tls_certificate and tls_key"),
        ("proxy_protocol = true".into(), "list their addresses there"),
        ("proxy_protocol = true\nlisten = \"systemd\"".into(), "list their addresses there"),
        ("trusted_proxies = \"10.0.0.0/33\"".into(), "'10.0.0.0/33' is neither an address nor a network"),
        ("trusted_proxies = [\"10.0.0.1\", \"proxy\"]".into(), "'proxy' is neither an address nor a network"),
        ("trusted_proxies = [5]".into(), "must be one value, not a list"),
        ("listen = \"unix:relay.sock\"".into(), "needs the absolute path of the socket"),
        ("listen = \"unix:/\"".into(), "needs the absolute path of the socket"),
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
