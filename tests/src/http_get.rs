//! A short GET request to a process of a test.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// The time that a running process needs at most. A stopped one does not answer at all.
const TIMEOUT: Duration = Duration::from_millis(800);
/// The maximum number of bytes of an answer.
const MAX_ANSWER: u64 = 4 * 1024 * 1024;

/// Returns the status and the body of a path; `None` if the process does not answer in time.
#[must_use]
pub fn http_get(address: SocketAddr, path: &str) -> Option<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT).ok()?;
    stream.set_read_timeout(Some(TIMEOUT)).ok()?;
    stream.set_write_timeout(Some(TIMEOUT)).ok()?;
    // A response of HTTP/1.0 ends with its connection.
    write!(stream, "GET {path} HTTP/1.0\r\nhost: {address}\r\n\r\n").ok()?;
    let mut response = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut response).ok()?;
    let head = response.windows(4).position(|window| window == b"\r\n\r\n")?;
    let status = std::str::from_utf8(&response[..head]).ok()?.split(' ').nth(1)?.parse().ok()?;
    Some((status, response.split_off(head + 4)))
}
