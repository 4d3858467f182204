//! Output that nobody reads or that cannot be written. The relay must serve, reload and shut down all the same.

use crate::support::{APP, App, Client, RelayProcess, Scrape, post, relay_command, request, request_over};
use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead as _, BufReader, PipeReader, PipeWriter, Write as _, pipe},
    os::unix::fs::PermissionsExt as _,
    process::{Child, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
    time::{sleep, timeout},
};

const FLAGS: &[&str] =
    &["--admin-listen", "127.0.0.1:0", "--log", "info,access=debug", "--trusted-proxies", "127.0.0.1"];
const DROPPED: &str = "sealwire_log_lines_dropped_total";
/// Far longer than any step takes if the relay does not block on its output.
const TIMEOUT: Duration = Duration::from_secs(20);

fn full_disk() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

/// Returns a pipe whose reader has closed.
fn without_reader() -> PipeWriter {
    pipe().unwrap().1
}

/// Returns a full pipe whose reader never reads.
fn stalled() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().unwrap();
    // The capacity of a pipe on Linux.
    writer.write_all(&[b'\n'; 64 * 1024]).unwrap();
    (reader, writer)
}

async fn ends(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    while start.elapsed() < TIMEOUT {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("the process does not end");
}

/// Makes the relay log hundreds of lines.
async fn log_much(relay: &RelayProcess) {
    const REQUESTS: usize = 500;
    let id = "i".repeat(64);
    let request = format!("GET /healthz HTTP/1.1\r\nhost: relay\r\nx-request-id: {id}\r\n\r\n");
    let mut stream = TcpStream::connect(relay.address).await.unwrap();
    stream.write_all(request.repeat(REQUESTS).as_bytes()).await.unwrap();
    let (mut answered, mut text) = (0, Vec::new());
    while answered < REQUESTS {
        let read =
            timeout(TIMEOUT, stream.read_buf(&mut text)).await.expect("the requests were not answered");
        assert_ne!(read.unwrap(), 0);
        answered = String::from_utf8_lossy(&text).matches("HTTP/1.1 200").count();
    }
}

/// Checks that the state of the log affects neither clients nor operators.
async fn serves_reloads_and_ends(mut relay: RelayProcess) {
    for _ in 0..100 {
        assert_eq!(post(relay.address, "x.y.z", "{}").await.status, 401);
    }
    assert_eq!(request(relay.address, "GET", "/healthz", "", "").await.status, 200);
    let mut subscriber = Client::open(&relay, "alice").await;
    subscriber.subscribe("absences").await;
    Client::open(&relay, "bob").await.publish("absences", "heard").await;
    assert_eq!(subscriber.text().await, "heard");
    assert!(Scrape::of(&relay).await.value(DROPPED) > 0.0);

    let added = App::new(APP, "two", 2);
    let keys = format!("signing_keys = [\"{}\", \"{}\"]", App::one().key_text, added.key_text);
    let config = format!("listen = \"127.0.0.1:0\"\n[[app]]\nid = \"{APP}\"\n{keys}\n");
    fs::write(relay.directory().join("relay.toml"), config).unwrap();
    relay.signal("HUP");
    let start = Instant::now();
    while post(relay.address, &added.backend(), "{}").await.status == 401 {
        assert!(start.elapsed() < TIMEOUT, "the relay does not reload");
        sleep(Duration::from_millis(10)).await;
    }
    relay.signal("TERM");
    drop(subscriber);
    assert_eq!(ends(&mut relay.child).await.code(), Some(0));
}

#[tokio::test]
async fn a_relay_whose_log_is_not_read_serves_reloads_and_shuts_down() {
    let (_reader, writer) = pipe().unwrap();
    let relay = RelayProcess::start_logging_to(writer, FLAGS);
    // The lines fill the pipe and the relay's buffer, and further ones are dropped.
    while Scrape::of(&relay).await.value(DROPPED) == 0.0 {
        log_much(&relay).await;
    }
    serves_reloads_and_ends(relay).await;
}

#[tokio::test]
async fn a_relay_whose_log_reader_has_closed_serves_reloads_and_shuts_down() {
    serves_reloads_and_ends(RelayProcess::start_logging_to(without_reader(), FLAGS)).await;
}

#[tokio::test]
async fn a_relay_whose_log_is_on_a_full_disk_serves_reloads_and_shuts_down() {
    serves_reloads_and_ends(RelayProcess::start_logging_to(full_disk(), FLAGS)).await;
}

#[tokio::test]
async fn a_relay_logs_the_number_of_dropped_lines() {
    let (reader, writer) = pipe().unwrap();
    let mut relay = RelayProcess::start_logging_to(writer, FLAGS);
    while Scrape::of(&relay).await.value(DROPPED) == 0.0 {
        log_much(&relay).await;
    }
    let log = Arc::<Mutex<String>>::default();
    let written = log.clone();
    let read = std::thread::spawn(move || {
        let mut lines = BufReader::new(reader).lines();
        while let Some(Ok(line)) = lines.next() {
            written.lock().unwrap().extend([&line, "\n"]);
        }
    });
    let start = Instant::now();
    while !log.lock().unwrap().contains("log lines were dropped") {
        assert!(start.elapsed() < TIMEOUT, "the relay does not report dropped lines");
        sleep(Duration::from_millis(10)).await;
    }
    relay.signal("TERM");
    assert_eq!(ends(&mut relay.child).await.code(), Some(0));
    read.join().unwrap();
    let log = log.lock().unwrap();
    let said: Vec<_> = log.lines().filter(|line| line.contains("log lines were dropped")).collect();
    assert!(said.len() == 1 && said[0].contains("WARN") && said[0].contains("dropped="), "{said:?}");
    assert!(log.lines().all(|line| line.starts_with("20")), "a line is incomplete");
    assert!(log.trim_end().ends_with("every client has left"), "the last queued lines are missing");
}

#[tokio::test]
async fn a_relay_whose_standard_output_is_closed_stalled_or_full_serves_and_shuts_down() {
    let (_reader, writer) = stalled();
    for stdout in [without_reader().into(), full_disk().into(), Stdio::from(writer)] {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("relay.sock");
        let mut child = relay_command()
            .args(["run", "--listen", &format!("unix:{}", socket.display())])
            .current_dir(&directory)
            .env("SEALWIRE_RELAY_APP", "a")
            .env("SEALWIRE_RELAY_SIGNING_KEYS", App::one().key_text)
            .stdout(stdout)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        let stream = loop {
            match UnixStream::connect(&socket).await {
                Ok(stream) => break stream,
                Err(error) => assert!(start.elapsed() < TIMEOUT, "{error}"),
            }
            sleep(Duration::from_millis(10)).await;
        };
        let healthz = b"GET /healthz HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n\r\n";
        assert_eq!(request_over(stream, healthz).await.status, 200);
        let kill = std::process::Command::new("kill").arg(child.id().to_string()).status();
        assert!(kill.unwrap().success());
        assert_eq!(ends(&mut child).await.code(), Some(0));
    }
}

#[tokio::test]
async fn commands_exit_with_the_right_status_whatever_their_output_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("relay.toml");
    let app = format!("[[app]]\nid = \"a\"\nsigning_keys = [\"{}\"]\n", App::one().key_text);
    fs::write(&path, app).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let relay = RelayProcess::start(&[]);
    let address = relay.address.to_string();
    let healthcheck = &["healthcheck", "--config", "relay.toml", "--listen", &*address][..];
    let check = &["check-config", "--config", "relay.toml"][..];
    let risky = &["check-config", "--config", "relay.toml", "--replay-bytes", "0", "--strict"][..];
    let init = |file| ["init", "--app", "a", "--config", file];
    let wrong = &["run", "--config", "relay.toml", "--heartbeat", "never"][..];
    let (_reader, writer) = stalled();
    let stalled = || Stdio::from(writer.try_clone().unwrap());
    let (gone, full) = (|| Stdio::from(without_reader()), || Stdio::from(full_disk()));
    for (what, arguments, stdout, stderr, status) in [
        ("a closed reader is not an error", check, gone(), Stdio::null(), 0),
        ("the status reports risky settings to a closed reader", risky, gone(), gone(), 3),
        ("the status reports risky settings on a full disk", risky, Stdio::null(), full(), 3),
        ("the status reports risky settings to a stalled reader", risky, Stdio::null(), stalled(), 3),
        ("output that cannot be written is an error", check, full(), Stdio::null(), 1),
        (
            "init fails if it cannot print, after it has written the file",
            &init("new.toml"),
            full(),
            Stdio::null(),
            1,
        ),
        ("a healthy relay with a closed reader", healthcheck, gone(), Stdio::null(), 0),
        ("a healthy relay on a full disk", healthcheck, full(), Stdio::null(), 0),
        ("a healthy relay with a stalled reader", healthcheck, stalled(), Stdio::null(), 0),
        ("an invalid configuration with a closed reader", wrong, Stdio::null(), gone(), 1),
        ("an invalid configuration on a full disk", wrong, Stdio::null(), full(), 1),
        ("an invalid configuration with a stalled reader", wrong, Stdio::null(), stalled(), 1),
    ] {
        let mut command = relay_command();
        command.args(arguments).current_dir(&directory).stdout(stdout).stderr(stderr);
        let mut child = command.spawn().unwrap();
        assert_eq!(ends(&mut child).await.code(), Some(status), "{what}: {arguments:?}");
    }
    let output = relay_command().args(init("other.toml")).current_dir(&directory).stdout(full()).output();
    let told = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(told.starts_with("sealwire-relay: cannot write to standard output: "), "{told}");
    assert!(directory.path().join("other.toml").exists());
}
