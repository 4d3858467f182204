//! Relays behind Caddy with the Caddyfiles of `deploy/compose`. The tests change only host names and ports.

use crate::support::{App, Client, RelayProcess, Scrape, Streamed, request, sealed};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealwire_protocol::encode_base64url;
use serde_json::json;
use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

const TIMEOUT: Duration = Duration::from_secs(20);

/// A running Caddy, which is killed when the value is dropped.
struct Caddy {
    address: SocketAddr,
    child: Child,
    _directory: tempfile::TempDir,
}

impl Caddy {
    async fn before(relay: &RelayProcess) -> Self {
        Self::configured(relay, "").await
    }

    /// Starts Caddy with further lines in the block of the site.
    async fn configured(relay: &RelayProcess, lines: &str) -> Self {
        let caddyfile = caddyfile("Caddyfile", &[("relay:7440", relay)]).replacen(
            "{$SEALWIRE_HOST} {\n",
            &format!("{{$SEALWIRE_HOST}} {{\n{lines}\n"),
            1,
        );
        Self::start(&caddyfile).await
    }

    async fn before_cluster(relays: [&RelayProcess; 2]) -> Self {
        let names = [("relay-1:7440", relays[0]), ("relay-2:7440", relays[1])];
        Self::start(&caddyfile("Caddyfile.cluster", &names)).await
    }

    async fn start(caddyfile: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("Caddyfile");
        fs::write(&config, format!("{{\n\tadmin off\n\tdefault_bind 127.0.0.1\n}}\n{caddyfile}")).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let program = std::env::var_os("SEALWIRE_TEST_CADDY").unwrap_or_else(|| "caddy".into());
        let child = Command::new(program)
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(config)
            .env("SEALWIRE_HOST", format!("http://:{}", address.port()))
            .env("HOME", directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test needs Caddy: python3 -m pip install -r xtask/python-tools.txt");
        let caddy = Self { address, child, _directory: directory };
        let deadline = Instant::now() + TIMEOUT;
        while TcpStream::connect(address).await.is_err() {
            assert!(Instant::now() < deadline, "Caddy does not accept connections");
            sleep(Duration::from_millis(20)).await;
        }
        caddy
    }
}

/// Returns a Caddyfile of `deploy/compose` with the addresses of running relays.
fn caddyfile(name: &str, relays: &[(&str, &RelayProcess)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/compose").join(name);
    let mut text = fs::read_to_string(path).unwrap();
    for (name, relay) in relays {
        assert_eq!(text.matches(name).count(), 1);
        text = text.replace(name, &relay.address.to_string());
    }
    text
}

impl Drop for Caddy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_client_and_a_resolver_communicate_through_the_shipped_caddyfile() {
    let relay = RelayProcess::start(&["--proxy-terminates-tls"]);
    let caddy = Caddy::before(&relay).await;
    let app = App::one();
    let mut client = Client::connect(caddy.address).await;
    client.hello(app.session("alice")).await;
    client.subscribe("absences").await;

    let message = json!({
        "channel": "absences",
        "scope": { "dashboard": "10001", "module": "absences" },
        "sealed": STANDARD.encode(sealed("through Caddy")),
        "id": encode_base64url([1; 16]),
    });
    let body = json!({ "messages": [message] }).to_string();
    let headers = |token: &str| {
        format!(
            "authorization: Bearer {token}\r\ncontent-type: application/json\r\nx-forwarded-for: 203.0.113.9\r\n"
        )
    };
    let answer = request(caddy.address, "POST", "/v1/publish", &headers(&app.backend()), &body).await;
    assert!(answer.body["results"][0]["eventId"].is_string(), "{answer:?}");
    assert_eq!(client.text().await, "through Caddy");

    // The address that a client claims for itself is not logged.
    let answer = request(caddy.address, "POST", "/v1/publish", &headers("nonsense"), &body).await;
    assert_eq!((answer.status, answer.code()), (401, "TOKEN_MALFORMED"));
    let log = relay.log_with("TOKEN_MALFORMED").await;
    assert!(log.contains("127.0.0.1") && !log.contains("203.0.113.9"), "{log}");

    // The pages for operators are not exposed.
    for path in ["/metrics", "/readyz", "/"] {
        assert_eq!(request(caddy.address, "GET", path, "", "").await.status, 404, "{path}");
    }
    assert_eq!(request(caddy.address, "GET", "/healthz", "", "").await.status, 200);
}

#[tokio::test]
async fn the_shipped_caddyfile_forwards_events_of_a_stream_without_delay() {
    let relay = RelayProcess::start(&["--proxy-terminates-tls"]);
    let head = first_event_through(&Caddy::before(&relay).await).await;
    assert!(head.contains("content-encoding: identity"), "{head}");
}

#[tokio::test]
async fn a_caddy_that_compresses_all_text_does_not_compress_a_stream() {
    let relay = RelayProcess::start(&["--proxy-terminates-tls"]);
    let encode = "encode {\n\tgzip\n\tminimum_length 1\n\tmatch {\n\t\theader Content-Type text/*\n\t}\n}";
    // A proxy between the relay and this Caddy may drop `no-transform`.
    for lines in [encode, &format!("{encode}\nheader -Cache-Control")] {
        let caddy = Caddy::configured(&relay, lines).await;
        let head = first_event_through(&caddy).await;
        assert!(head.contains("content-encoding: identity"), "{head}");
    }
}

fn relay_of_a_cluster() -> RelayProcess {
    RelayProcess::start(&["--proxy-terminates-tls", "--admin-listen", "127.0.0.1:0"])
}

#[tokio::test]
async fn the_caddyfile_of_a_cluster_spreads_clients_and_keeps_each_stream_at_its_relay() {
    let relays = [relay_of_a_cluster(), relay_of_a_cluster()];
    let caddy = Caddy::before_cluster([&relays[0], &relays[1]]).await;
    let mut clients = Vec::new();
    for _ in 0..6 {
        let mut client = Client::connect(caddy.address).await;
        client.hello(App::one().session("alice")).await;
        clients.push(client);
    }
    for relay in &relays {
        assert_eq!(Scrape::of(relay).await.value("sealwire_connections"), 3.0);
    }
    // Each message of a stream is a request of its own.
    for _ in 0..3 {
        let mut streamed = Streamed::connect(caddy.address).await;
        streamed.hello(App::one().session("alice")).await;
        for channel in ["absences", "holidays", "rooms"] {
            streamed.subscribe_since(channel, None).await;
        }
    }
    for path in ["/metrics", "/readyz", "/"] {
        assert_eq!(request(caddy.address, "GET", path, "", "").await.status, 404, "{path}");
    }
    assert_eq!(request(caddy.address, "GET", "/healthz", "", "").await.status, 200);
}

#[tokio::test]
async fn the_caddyfile_of_a_cluster_sends_every_client_of_a_killed_relay_to_the_other() {
    let mut relays = [relay_of_a_cluster(), relay_of_a_cluster()];
    let caddy = Caddy::before_cluster([&relays[0], &relays[1]]).await;
    relays[0].child.kill().unwrap();
    relays[0].child.wait().unwrap();
    for _ in 0..4 {
        let mut client = Client::connect(caddy.address).await;
        client.hello(App::one().session("alice")).await;
        let mut streamed = Streamed::connect(caddy.address).await;
        streamed.hello(App::one().session("alice")).await;
    }
}

/// Opens a stream, waits for its first event and returns the head of the response.
async fn first_event_through(caddy: &Caddy) -> String {
    let mut stream = TcpStream::connect(caddy.address).await.unwrap();
    let request =
        "POST /v1/stream HTTP/1.1\r\nhost: relay\r\naccept-encoding: gzip\r\ncontent-length: 0\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = String::new();
    let opened = async {
        while !read.contains("event: open") {
            let mut buffer = [0; 1024];
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "{read}");
            read.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    };
    timeout(TIMEOUT, opened).await.expect("the first event did not arrive");
    read.split("\r\n\r\n").next().unwrap().to_ascii_lowercase()
}
