//! `sealwire-relay healthcheck`: checks the health of the relay on this machine. It replaces curl in containers.

use super::{ConfigArgs, print::Notices};
use clap::Args;
use rustls::{ClientConnection, StreamOwned, pki_types::ServerName};
use sealwire_relay::{Config, Listen};
use std::{
    error::Error,
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

/// The maximum time to connect, and for each read and write.
const STEP_TIMEOUT: Duration = Duration::from_secs(3);
/// The status of a relay at `max_connections`.
const FULL: u16 = 503;
/// The status of a relay at `max_connections_per_address`.
const FULL_FOR_ADDRESS: u16 = 429;

#[derive(Args)]
pub(super) struct Healthcheck {
    #[command(flatten)]
    config: ConfigArgs,
}

impl Healthcheck {
    pub(super) fn execute(self) -> Result<ExitCode, Box<dyn Error>> {
        let mut config = self.config.load_without_apps_dir()?;
        // The listener for operators responds even if clients use every connection.
        if let Some(address) = config.settings.admin_listen {
            config.settings.listen = Listen::Tcp(address);
            config.tls = None;
            config.settings.proxy_protocol = false;
        }
        if let Listen::Tcp(address) = &mut config.settings.listen {
            make_connectable(address);
        }
        let address = &config.settings.listen;
        let mut stream = connect(&config).map_err(|error| {
            format!(
                "cannot connect to a relay at {address}: {error}; check that it runs with this configuration"
            )
        })?;
        let status = status(&mut stream, "/healthz")
            .map_err(|error| format!("the relay at {address} does not respond: {error}"))?;
        let health = match status {
            200 => format!("the relay at {address} is healthy\n"),
            // A relay at capacity is healthy: restarting it would disconnect the clients it still serves.
            FULL | FULL_FOR_ADDRESS => {
                format!("the relay at {address} is healthy, and at its limit of connections\n")
            }
            _ => return Err(format!("the relay at {address} responds with status {status}").into()),
        };
        // The exit status is the result; a failure to print must not change it.
        let notices = Notices::start();
        notices.print(&health);
        notices.finish();
        Ok(ExitCode::SUCCESS)
    }
}

/// Replaces the unspecified address of a relay that listens on every address by the loopback address.
fn make_connectable(listen: &mut SocketAddr) {
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => listen.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => listen.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
}

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

fn connect(config: &Config) -> io::Result<Box<dyn Stream>> {
    let address = match &config.settings.listen {
        Listen::Tcp(address) => address,
        Listen::Unix(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(STEP_TIMEOUT))?;
            stream.set_write_timeout(Some(STEP_TIMEOUT))?;
            return Ok(Box::new(stream));
        }
        _ => {
            let message =
                "systemd chose the address of the relay; name it with --listen, or set admin_listen";
            return Err(io::Error::other(message));
        }
    };
    let stream = TcpStream::connect_timeout(address, STEP_TIMEOUT)?;
    stream.set_read_timeout(Some(STEP_TIMEOUT))?;
    stream.set_write_timeout(Some(STEP_TIMEOUT))?;
    let Some(tls) = &config.tls else { return Ok(Box::new(stream)) };
    // The relay is identified by its certificate, so the server name does not matter.
    let client = tls.pinned_client().map_err(io::Error::other)?;
    let session = ClientConnection::new(Arc::new(client), ServerName::from(address.ip()));
    Ok(Box::new(StreamOwned::new(session.map_err(io::Error::other)?, stream)))
}

/// Sends `GET path` and returns the status of the response.
fn status(stream: &mut dyn Stream, path: &str) -> io::Result<u16> {
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    // "HTTP/1.1 200"
    let mut line = [0; 12];
    stream.read_exact(&mut line)?;
    let status = line.strip_prefix(b"HTTP/1.1 ").and_then(|status| str::from_utf8(status).ok()?.parse().ok());
    status.ok_or_else(|| io::Error::other("the response is not HTTP; check the address"))
}
