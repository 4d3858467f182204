//! Reading HTTP responses.

use super::{IO_TIMEOUT, RawSocket};
use bytes::Buf as _;
use std::{io::Read as _, time::Instant};

impl RawSocket {
    /// Reads the head of one response.
    pub fn response_head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && self.fill(1) {
            head.push(self.unread.get_u8());
        }
        String::from_utf8_lossy(&head).into_owned()
    }

    /// Reads one response and returns its head and its body.
    ///
    /// # Panics
    /// If the response is incomplete.
    pub fn response(&mut self) -> (String, String) {
        self.try_response().expect("the response is complete")
    }

    /// Reads one response and returns its head and its body; `None` if it is incomplete.
    pub fn try_response(&mut self) -> Option<(String, String)> {
        let head = self.response_head();
        head.starts_with("HTTP/1.1 ").then_some(())?;
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        let length: usize = length.unwrap_or(0);
        self.fill(length).then_some(())?;
        Some((head, String::from_utf8_lossy(&self.unread.split_to(length)).into_owned()))
    }

    /// Reads everything until the relay closes the connection, as text.
    ///
    /// # Panics
    /// If the connection stays open beyond 30 s.
    pub fn text(&mut self) -> String {
        String::from_utf8_lossy(&self.rest()).into_owned()
    }

    /// Reads until the relay closes or resets the connection, and returns the number of bytes.
    ///
    /// # Panics
    /// If the connection stays open beyond 30 s.
    pub fn count_to_end(&mut self) -> usize {
        self.rest().len()
    }

    fn rest(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.unread).to_vec();
        let start = Instant::now();
        let _ = self.stream.read_to_end(&mut bytes);
        assert!(start.elapsed() < IO_TIMEOUT, "the relay keeps the connection open");
        bytes
    }
}
