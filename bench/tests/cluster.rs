//! Small runs of the measurements of a cluster, with real processes: each prints its figures, and nothing is lost.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

use sealwire_tests::relay_binary;
use serde_json::Value;
use std::{fs, process::Command};

/// The output of a run.
struct Measured {
    figures: Vec<Value>,
    text: String,
}

impl Measured {
    fn by(scenario: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_sealwire-bench"))
            .args(["cluster", "--quick", "--scenario", scenario, "--relay"])
            .arg(relay_binary())
            .arg("--out")
            .arg(folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(text.trim(), fs::read_to_string(folder.path().join("results.md")).unwrap().trim());
        let json = fs::read(folder.path().join("results.json")).unwrap();
        Self { figures: serde_json::from_slice(&json).unwrap(), text }
    }

    /// Returns the figures of a metric: one for each arrangement.
    fn figures(&self, metric: &str) -> Vec<f64> {
        let figures = self.figures.iter().filter(|figure| figure["metric"] == metric);
        let medians: Vec<_> = figures.filter_map(|figure| figure["median"].as_f64()).collect();
        assert!(!medians.is_empty(), "{metric:?} was not measured:\n{}", self.text);
        medians
    }

    fn figure(&self, metric: &str) -> f64 {
        self.figures(metric)[0]
    }

    fn has_reached(&self, aim: &str) -> bool {
        let line = self.text.lines().find(|line| line.starts_with(&format!("| {aim}")));
        line.unwrap_or_else(|| panic!("there is no aim {aim:?}:\n{}", self.text)).ends_with("| reached |")
    }
}

fn assert_count(measured: &Measured, metric: &str, expected: f64) {
    let count = measured.figure(metric);
    assert!((count - expected).abs() < 0.5, "{metric}: {count} instead of {expected}\n{}", measured.text);
}

#[test]
fn all_clients_of_a_killed_relay_resume_their_channels_on_the_other_one() {
    let measured = Measured::by("move");
    assert_count(&measured, "resumed channels with recovered: true", 150.0);
    for aim in ["resumed channels without", "gaps reported", "messages missed", "messages doubled"] {
        assert!(measured.has_reached(&format!("move: {aim}")), "{}", measured.text);
    }
    assert!(measured.figure("deliveries") > 0.0);
}

#[test]
fn nothing_is_lost_while_the_leader_of_a_stream_is_killed() {
    let measured = Measured::by("leader");
    for aim in ["messages lost", "messages doubled"] {
        assert!(measured.has_reached(&format!("leader: {aim}")), "{}", measured.text);
    }
    // Without an election, each channel has an acknowledgement every 0.2 s.
    let pause = measured.figure("longest pause between acknowledgements of one channel");
    assert!(pause > 0.5, "the leader was not killed: {pause}\n{}", measured.text);
    assert!(measured.figure("time until all streams of that leader have another one") > 0.0);
}

#[test]
fn fan_out_is_measured_with_both_brokers() {
    let measured = Measured::by("fanout");
    assert_eq!(measured.figures("latency p50").len(), 3);
    assert!(measured.figures("relays' CPU µs per delivery").iter().sum::<f64>() > 0.0);
}

#[test]
fn many_channels_are_joined_and_their_memory_is_measured() {
    let measured = Measured::by("channels");
    assert!(measured.figure("joins a second") > 0.0);
    assert!(measured.figure("memory of both relays after") > measured.figure("memory of both relays before"));
}

#[test]
fn the_cost_of_a_publication_is_measured_at_relays_and_servers() {
    let measured = Measured::by("capacity");
    for metric in ["relays' CPU µs per publication", "NATS servers' CPU µs per publication"] {
        // The system counts processor time in steps of 10 ms, which is more than a short measurement may take.
        assert!(measured.figures(metric).iter().sum::<f64>() > 0.0, "{}", measured.text);
    }
}
