//! Proves that a running relay does not change the file system, by tracing every system call that names a file.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use sealwire_protocol::{
    Scope,
    wire::{Channel, Since, ToClient},
};
use sealwire_tests::{Installation, RawSocket, RelayProcess, TRACED_CALLS};
use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

/// Flags of `open` that may change a file.
const WRITE_FLAGS: [&str; 6] = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "O_TMPFILE"];
/// System calls that name a file and change nothing.
const READ_ONLY_CALLS: [&str; 12] = [
    "access",
    "chdir",
    "execve",
    "faccessat2",
    "getcwd",
    "lstat",
    "newfstatat",
    "readlink",
    "readlinkat",
    "stat",
    "statfs",
    "statx",
];

#[test]
fn a_relay_that_serves_opens_no_file_for_writing() {
    let installation = Installation::new("traced");
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let relay = RelayProcess::start_traced(&[&installation], "replay_bytes = 100000", &trace);
    serve(&relay, &installation);
    drop(relay);

    let calls = finished_trace(&trace);
    // The relay read its configuration under the tracer, so the trace covers its start.
    assert!(calls.contains("relay.toml\", O_RDONLY"), "{calls}");
    assert_eq!(changes(&calls), Vec::<&str>::new());
}

#[test]
fn the_trace_detects_every_kind_of_write() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let script = "cd \"$1\" && : > made && mv made moved && rm moved && mkdir folder";
    let status = Command::new("strace")
        .args(["-f", "-q", "-e", TRACED_CALLS, "-o"])
        .arg(&trace)
        .args(["sh", "-c", script, "sh"])
        .arg(folder.path())
        .status()
        .expect("strace runs; install it (Debian: apt-get install strace)");
    assert!(status.success());
    let calls = finished_trace(&trace);
    let changes = changes(&calls);
    for call in ["O_CREAT", "rename", "unlink", "mkdir"] {
        assert!(changes.iter().any(|change| change.contains(call)), "{call} is not among {changes:?}");
    }
}

/// The line for a call whose thread was killed before strace could read it, and before the kernel executed it.
const NOT_EXECUTED: &str = "???( <unfinished ...>";

/// Returns the calls that may change a file, each as `<name>(<arguments>) = <result>`.
fn changes(calls: &str) -> Vec<&str> {
    let calls = calls.lines().map(|line| line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' '));
    let changes = |call: &&str| match call.split_once('(') {
        Some(("open" | "openat" | "openat2", arguments)) => {
            WRITE_FLAGS.iter().any(|flag| arguments.contains(flag))
        }
        Some((name, _)) => !READ_ONLY_CALLS.contains(&name),
        // The line is not a call but a signal, or the end of a thread.
        None => false,
    };
    calls.filter(|call| !call.starts_with(['+', '-', '<']) && *call != NOT_EXECUTED).filter(changes).collect()
}

/// Makes the relay accept, deliver, cache, replay, evict and refuse messages.
fn serve(relay: &RelayProcess, installation: &Installation) {
    let channel = || Channel { name: "absences".into(), ..Channel::default() };
    let session = |account| installation.session(account, &Scope::default(), 600);
    let mut reader = RawSocket::open(relay.port, &session("reader"));
    assert!(matches!(reader.subscribe(channel(), None), ToClient::Subscribed(_)));
    let mut writer = RawSocket::open(relay.port, &session("writer"));
    for number in 0..50 {
        let answer = writer.publish(channel(), vec![1; 10_000], [number; 16]);
        assert!(matches!(answer, ToClient::Published(_)), "{answer:?}");
        assert!(matches!(reader.expect_message(), ToClient::Publication(_)));
    }
    let mut late = RawSocket::open(relay.port, &session("late"));
    let subscribed = late.subscribe(channel(), Some(Since::ReplaySeconds(60)));
    assert!(matches!(subscribed, ToClient::Subscribed(_)), "{subscribed:?}");
    assert!(matches!(late.expect_message(), ToClient::Publication(_)));
    let mut request = RawSocket::connect(relay.port);
    let body = " ".repeat(1_000_000);
    let head = format!(
        "POST /v1/publish HTTP/1.1\r\nhost: relay\r\nconnection: close\r\ncontent-type: application/json\r\n\
         authorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
        installation.backend(),
        body.len()
    );
    request.send(format!("{head}{body}").as_bytes());
    assert!(request.text().starts_with("HTTP/1.1 400"));
}

/// Returns the trace once strace has finished writing it.
fn finished_trace(trace: &std::path::Path) -> String {
    let start = Instant::now();
    loop {
        let calls = fs::read_to_string(trace).unwrap();
        let (mut last, ended) = (calls.lines().rev(), |line: &str| line.contains("+++ "));
        if last.next().is_some_and(ended) || start.elapsed() > Duration::from_secs(5) {
            return calls;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
