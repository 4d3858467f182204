//! `sealwire-relay healthcheck`: asks the relay of this machine whether it is well. For containers, which have no curl.

use super::{ConfigArgs, print::Mentions};
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

/// Longest wait for each step.
const TIMEOUT: Duration = Duration::from_secs(3);
/// What a relay answers past `max_connections`.
const FULL: u16 = 503;
/// The same past `max_connections_per_address`.
const FULL_FOR_ADDRESS: u16 = 429;

#[derive(Args)]
pub(super) struct Healthcheck {
    #[command(flatten)]
    config: ConfigArgs,
}

impl Healthcheck {
    pub(super) fn execute(self) -> Result<ExitCode, Box<dyn Error>> {
        let mut config = self.config.load()?;
        // Where operators ask there is always room, also when clients have taken every place.
        if let Some(address) = config.settings.admin_listen {
            config.settings.listen = Listen::Tcp(address);
            config.tls = None;
            config.settings.proxy_protocol = false;
        }
        if let Listen::Tcp(address) = &mut config.settings.listen {
            reachable(address);
        }
        let place = &config.settings.listen;
        let mut stream = connect(&config).map_err(|error| {
            format!("no relay answers at {place}: {error}; is it running with this configuration?")
        })?;
        let status = status(&mut stream, "/healthz")
            .map_err(|error| format!("the relay at {place} does not answer: {error}"))?;
        let well = match status {
            200 => format!("the relay at {place} is well\n"),
            // To restart it would only send away whom it serves.
            FULL | FULL_FOR_ADDRESS => {
                format!("the relay at {place} is well, and has no place for one more\n")
            }
            _ => return Err(format!("the relay at {place} answers {status}").into()),
        };
        // The status says it as well, and must be right also where nobody reads this.
        let mentions = Mentions::start();
        mentions.print(&well);
        mentions.finish();
        Ok(ExitCode::SUCCESS)
    }
}

/// Where a relay that listens on every address can be asked.
fn reachable(listen: &mut SocketAddr) {
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
            stream.set_read_timeout(Some(TIMEOUT))?;
            stream.set_write_timeout(Some(TIMEOUT))?;
            return Ok(Box::new(stream));
        }
        _ => return Err(io::Error::other("only systemd knows where it listens; say so with --listen")),
    };
    let stream = TcpStream::connect_timeout(address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let Some(tls) = &config.tls else { return Ok(Box::new(stream)) };
    // The certificate tells the relay, not its name.
    let client = tls.own_client().map_err(io::Error::other)?;
    let session = ClientConnection::new(Arc::new(client), ServerName::from(address.ip()));
    Ok(Box::new(StreamOwned::new(session.map_err(io::Error::other)?, stream)))
}

/// The status that `GET path` is answered with.
fn status(stream: &mut dyn Stream, path: &str) -> io::Result<u16> {
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    // "HTTP/1.1 200"
    let mut line = [0; 12];
    stream.read_exact(&mut line)?;
    let status = line.strip_prefix(b"HTTP/1.1 ").and_then(|status| str::from_utf8(status).ok()?.parse().ok());
    status.ok_or_else(|| io::Error::other("what answers does not speak HTTP"))
}
