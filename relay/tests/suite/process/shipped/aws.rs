//! The CloudFormation template.

use super::{check_config, document, image_environment, instruction, nats, read, setting};
use crate::support::{App, Certificate};
use sealwire_relay::Config;
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

fn resources() -> Value {
    document("deploy/aws/sealwire.yaml")["Resources"].clone()
}

fn container<'a>(resources: &'a Value, task: &str, name: &str) -> &'a Value {
    let containers = resources[task]["Properties"]["ContainerDefinitions"].as_array().unwrap();
    containers.iter().find(|container| container["Name"] == name).unwrap()
}

fn environment(container: &Value) -> Vec<(String, String)> {
    let pairs = container["Environment"].as_array().unwrap().iter();
    pairs.map(|pair| ["Name", "Value"].map(|key| pair[key].as_str().unwrap().to_owned()).into()).collect()
}

/// Runs a script of the template as its container does, and returns its output.
fn run(script: &str, folder: &Path, variables: &[(&str, &str)]) -> String {
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-ec", script])
        .env("PATH", path)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_servers_of_nats_start_with_the_shipped_configuration() {
    let resources = resources();
    let value = |name: &str| resources[name]["Properties"]["Value"].as_str().unwrap().to_owned();
    assert_eq!(value("NatsConf"), read("deploy/nats/nats.conf"));
    assert_eq!(value("NatsAccounts"), read("deploy/nats/accounts.conf"));
    // Secrets without a trailing newline, as Parameter Store and Secrets Manager hand them over.
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("nats-server");
    fs::write(&program, "#!/bin/sh\necho \"$@\"\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let folder = directory.path().join("nats");
    fs::create_dir(&folder).unwrap();
    let (conf, accounts, health) = (value("NatsConf"), value("NatsAccounts"), value("NatsHealth"));
    let variables = [
        ("NATS_FOLDER", folder.to_str().unwrap()),
        ("NATS_CONF", conf.trim_end()),
        ("NATS_ACCOUNTS", accounts.trim_end()),
        ("NATS_HEALTH", health.trim_end()),
        ("RELAY_PASSWORD", "r1"),
        ("OPERATOR_PASSWORD", "o1"),
        ("ROUTE_PASSWORD", "x1"),
    ];
    assert_eq!(run(&value("NatsStart"), directory.path(), &variables), "--config nats.conf\n");
    for (name, expected) in [("nats.conf", conf), ("accounts.conf", accounts), ("health", health)] {
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), expected);
    }
    let servers = [1, 2, 3].map(|server| format!("nats-{server}.sealwire.internal:6222"));
    let expected = nats::secrets("r1", "o1", "x1", &servers.each_ref().map(String::as_str));
    assert_eq!(fs::read_to_string(folder.join("secrets/nats.conf")).unwrap(), expected);
    for server in 1..=3 {
        let container = container(&resources, &format!("NatsTask{server}"), "nats");
        let name = ("NATS_NAME".to_owned(), format!("nats-{server}"));
        assert!(environment(container).contains(&name));
        assert_eq!(resources[format!("NatsName{server}")]["Properties"]["Name"], format!("nats-{server}"));
    }
}

#[test]
fn the_relays_of_aws_accept_their_configuration() {
    let resources = resources();
    let relay = container(&resources, "RelayTask", "relay");
    let own = environment(relay);
    let mut merged = image_environment();
    merged.retain(|(name, _)| own.iter().all(|(other, _)| other != name));
    merged.extend(own);

    // The files that the first container writes.
    let writer = container(&resources, "RelayTask", "secrets");
    let directory = tempfile::tempdir().unwrap();
    let certificate = Certificate::new();
    let app = format!("[[app]]\nid = \"my-app\"\nsigning_keys = [\"{}\"]", App::one().key_text);
    let script = writer["Command"][0].as_str().unwrap().replace("chown -R 65532:65532 .", "");
    let secrets = [
        ("SECRETS_FOLDER", directory.path().to_str().unwrap()),
        ("APPS", &*app),
        ("CERTIFICATE", &*certificate.chain),
        ("CERTIFICATE_KEY", &*certificate.key),
        ("RELAY_PASSWORD", "r1"),
    ];
    run(&script, directory.path(), &secrets);
    let text = |name: &str| fs::read_to_string(directory.path().join(name)).unwrap();
    let named = ["certificate.pem", "key.pem", "nats_password"];
    let files = named.map(|name| (format!("/run/sealwire/{name}"), text(name)));
    let files = files.each_ref().map(|(path, text)| (&**path, &**text));
    let printed = check_config(&text("relay.toml"), &merged, &files);

    assert_eq!(relay["User"], instruction("USER"));
    assert_eq!(setting(&printed, "listen"), "\"0.0.0.0:7440\"");
    assert_eq!(resources["TargetGroup"]["Properties"]["Port"], 7440);
    let networks = document("deploy/aws/sealwire.yaml")["Mappings"]["Network"].clone();
    for network in ["PublicA", "PublicB"] {
        let network = networks[network]["Cidr"].as_str().unwrap();
        assert!(setting(&printed, "trusted_proxies").contains(network), "{printed}");
    }
    for server in 1..=3 {
        let name = format!("nats://nats-{server}.sealwire.internal:4222");
        assert!(setting(&printed, "broker").contains(&name), "{printed}");
    }
    let files = relay["Ulimits"][0]["SoftLimit"].as_u64().unwrap();
    assert!(files > setting(&printed, "max_connections").parse().unwrap());
    assert!(relay["StopTimeout"].as_u64().unwrap() > Config::default().settings.drain_deadline.as_secs());
    let memory = resources["RelayTask"]["Properties"]["Memory"].as_str().unwrap();
    assert_eq!((memory, setting(&printed, "memory_bytes")), ("4096", "\"2GiB\""));
}
