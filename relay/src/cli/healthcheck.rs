//! `sealwire-relay healthcheck`: asks the relay of this machine whether it is well. For containers, which have no curl.

use super::ConfigArgs;
use clap::Args;
use std::{
    error::Error,
    io::{self, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    process::ExitCode,
    time::Duration,
};

/// Longest wait for each step.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Args)]
pub(super) struct Healthcheck {
    #[command(flatten)]
    config: ConfigArgs,
}

impl Healthcheck {
    pub(super) fn execute(self) -> Result<ExitCode, Box<dyn Error>> {
        let address = reachable(self.config.load()?.listen);
        let status = status(address, "/healthz").map_err(|error| {
            format!("no relay answers at {address}: {error}; is it running with this configuration?")
        })?;
        if status != 200 {
            return Err(format!("the relay at {address} answers {status}").into());
        }
        println!("the relay at {address} is well");
        Ok(ExitCode::SUCCESS)
    }
}

/// Where a relay that listens on every address can be asked.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => listen.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => listen.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    listen
}

/// The status that `GET path` is answered with.
fn status(address: SocketAddr, path: &str) -> io::Result<u16> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    // "HTTP/1.1 200"
    let mut line = [0; 12];
    stream.read_exact(&mut line)?;
    let status = line.strip_prefix(b"HTTP/1.1 ").and_then(|status| str::from_utf8(status).ok()?.parse().ok());
    status.ok_or_else(|| io::Error::other("what answers does not speak HTTP"))
}
