//! Listeners that are not a TCP address: Unix domain sockets, and sockets passed by systemd.

use crate::support::{App, Client, RelayProcess, relay_command, request_over};
use std::{
    fs,
    net::TcpListener,
    os::{fd::OwnedFd, unix::fs::PermissionsExt as _, unix::net::UnixListener},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};
use tokio::{
    net::{TcpStream, UnixStream},
    time::timeout,
};

fn config(listen: &str) -> String {
    let app = App::one();
    format!("listen = \"{listen}\"\n[[app]]\nid = \"{}\"\nsigning_keys = [\"{}\"]\n", app.id, app.key_text)
}

fn at(path: &Path) -> String {
    format!("unix:{}", path.display())
}

async fn talk(mut client: Client) {
    client.hello(App::one().session("alice")).await;
    client.subscribe("absences").await;
    let long = "long".repeat(20_000);
    client.publish("absences", &long).await;
    assert_eq!(client.text().await, long);
}

#[tokio::test]
async fn a_unix_domain_socket_is_created_served_taken_over_and_removed() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("relay.sock");
    let config = config(&at(&path));
    let mut relay = RelayProcess::start_in(tempfile::tempdir().unwrap(), &config, &[]);
    assert_eq!(relay.endpoint, at(&path));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    let forwarded = [("x-forwarded-for", "203.0.113.9, 198.51.100.7")];
    talk(Client::over(UnixStream::connect(&path).await.unwrap(), &forwarded).await.unwrap()).await;
    let health = Command::new(env!("CARGO_BIN_EXE_sealwire-relay"))
        .args(["healthcheck", "--config", "relay.toml"])
        .current_dir(relay.directory())
        .output()
        .unwrap();
    assert!(health.status.success(), "{health:?}");

    // The peer is the operator's proxy, so its forwarded address counts.
    let refused = b"GET /v1/realtime HTTP/1.1\r\nhost: r\r\nconnection: close\r\nx-forwarded-for: 203.0.113.9, 198.51.100.7\r\n\r\n";
    request_over(UnixStream::connect(&path).await.unwrap(), refused).await;
    relay.log_with("remote=198.51.100.7").await;

    // A second relay refuses to use the socket of the first.
    fs::write(place.path().join("relay.toml"), &config).unwrap();
    let second =
        relay_command().args(["run", "--config"]).arg(place.path().join("relay.toml")).output().unwrap();
    assert!(String::from_utf8_lossy(&second.stderr).contains("another process listens on the socket"));
    // A killed relay leaves its socket file behind. The next relay takes it over.
    relay.child.kill().unwrap();
    relay.child.wait().unwrap();
    assert!(path.exists());
    let mut relay = RelayProcess::start_in(tempfile::tempdir().unwrap(), &config, &[]);
    talk(Client::over(UnixStream::connect(&path).await.unwrap(), &[]).await.unwrap()).await;
    relay.signal("TERM");
    let status = tokio::task::spawn_blocking(move || relay.child.wait().unwrap()).await.unwrap();
    assert!(status.success());
    assert!(!path.exists());
}

#[tokio::test]
async fn the_setting_socket_mode_determines_the_mode_of_a_unix_domain_socket() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("relay.sock");
    let text = config(&at(&path));
    let _relay = RelayProcess::start_in(place, &text, &["--socket-mode", "0606"]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o606);
}

/// Starts a relay with a socket that is passed as systemd passes it.
fn activated(socket: OwnedFd) -> RelayProcess {
    let mut command = Command::new("sh");
    let script = "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" \"$@\"";
    command.env_clear().args(["-c", script, env!("CARGO_BIN_EXE_sealwire-relay")]).stdin(Stdio::from(socket));
    RelayProcess::start_as(command, tempfile::tempdir().unwrap(), &config("systemd"), &[])
}

#[tokio::test]
async fn a_socket_passed_by_systemd_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // A client that connects before the relay runs waits in the backlog.
    let early = TcpStream::connect(address).await.unwrap();
    let relay = activated(listener.into());
    assert_eq!(relay.endpoint, format!("http://{address}"));
    talk(Client::over(early, &[]).await.unwrap()).await;

    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("relay.sock");
    let relay = activated(UnixListener::bind(&path).unwrap().into());
    assert_eq!(relay.endpoint, at(&path));
    talk(Client::over(UnixStream::connect(&path).await.unwrap(), &[]).await.unwrap()).await;
    relay.signal("TERM");
    relay.log_with("every client has left").await;
    assert!(path.exists(), "the relay removed the socket file of systemd");
}

#[test]
fn a_missing_systemd_socket_or_a_public_one_without_tls_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("relay.toml"), config("systemd")).unwrap();
    let output =
        relay_command().args(["run", "--config", "relay.toml"]).current_dir(&directory).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("systemd passed 0 sockets"), "{error}");

    let socket: OwnedFd = TcpListener::bind("0.0.0.0:0").unwrap().into();
    let script = "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" \"$@\"";
    let output = Command::new("sh")
        .env_clear()
        .args(["-c", script, env!("CARGO_BIN_EXE_sealwire-relay"), "run", "--config", "relay.toml"])
        .current_dir(&directory)
        .stdin(Stdio::from(socket))
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("which other machines can reach, and the relay has no certificate"), "{error}");
}

#[tokio::test]
async fn a_thousand_simultaneous_connections_fit_into_the_backlog() {
    // While the relay is suspended, the kernel completes the connections, up to the length of the backlog.
    let limit = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap().trim().parse::<usize>().unwrap();
    let clients = limit.min(1000);
    let relay = RelayProcess::start(&[]);
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("relay.sock");
    let local = RelayProcess::start_in(tempfile::tempdir().unwrap(), &config(&at(&path)), &[]);
    relay.signal("STOP");
    local.signal("STOP");
    let mut waiting = Vec::new();
    let mut waiting_locally = Vec::new();
    for number in 0..clients {
        let connect = timeout(Duration::from_secs(10), TcpStream::connect(relay.address));
        waiting.push(connect.await.unwrap_or_else(|_| panic!("client {number} was not connected")).unwrap());
        waiting_locally.push(UnixStream::connect(&path).await.unwrap());
    }
    relay.signal("CONT");
    local.signal("CONT");
    // The last client is served too.
    let request = b"GET /healthz HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n\r\n";
    assert_eq!(request_over(waiting.pop().unwrap(), request).await.status, 200);
    assert_eq!(request_over(waiting_locally.pop().unwrap(), request).await.status, 200);
}
