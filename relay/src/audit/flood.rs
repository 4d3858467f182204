//! The rate limit of the audit log: decides which refused attempts are logged and which are only counted, so that nobody
//! can fill the log. No I/O: time is an argument.

use crate::proxies::client_network;
use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// The length of a window. All counts are reset at its end.
const WINDOW: Duration = Duration::from_secs(1);
/// The maximum number of lines per source in a window.
const MAX_LINES_PER_SOURCE: u32 = 50;
/// The maximum number of lines in a window.
const MAX_LINES: u32 = 500;

/// The source of refused attempts: a network and, if a token named it, an app.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct FloodSource {
    network: IpAddr,
    app: Option<Box<str>>,
}

impl FloodSource {
    pub(super) fn new(remote: IpAddr, app: Option<&str>) -> Self {
        Self { network: client_network(remote), app: app.map(Into::into) }
    }

    pub(super) fn network(&self) -> IpAddr {
        self.network
    }

    pub(super) fn app(&self) -> Option<&str> {
        self.app.as_deref()
    }
}

/// The attempts of a past window that were not logged: those of one source, or, with `None`, those of all sources that
/// first appeared when the window had no lines left.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Suppressed {
    pub(super) source: Option<FloodSource>,
    pub(super) count: u64,
}

/// The counts of the current window.
pub(super) struct FloodGuard {
    start: Instant,
    lines: u32,
    /// The lines and the suppressed attempts by source, with at most [`MAX_LINES`] entries.
    sources: HashMap<FloodSource, (u32, u64)>,
    /// The suppressed attempts of sources that are not in the map.
    others: u64,
}

impl FloodGuard {
    pub(super) fn new(now: Instant) -> Self {
        Self { start: now, lines: 0, sources: HashMap::new(), others: 0 }
    }

    /// Counts an attempt. Returns whether to log it, and the suppressed attempts of the previous window if it just ended.
    pub(super) fn admit(&mut self, source: FloodSource, now: Instant) -> (bool, Vec<Suppressed>) {
        let suppressed_before = self.rotate(now);
        if self.lines < MAX_LINES {
            let (lines, suppressed) = self.sources.entry(source).or_default();
            if *lines < MAX_LINES_PER_SOURCE {
                *lines += 1;
                self.lines += 1;
                return (true, suppressed_before);
            }
            *suppressed += 1;
        } else if let Some((_, suppressed)) = self.sources.get_mut(&source) {
            *suppressed += 1;
        } else {
            self.others += 1;
        }
        (false, suppressed_before)
    }

    /// Starts a new window if the current one is over. Returns the suppressed attempts of the window that ended.
    pub(super) fn rotate(&mut self, now: Instant) -> Vec<Suppressed> {
        if now.saturating_duration_since(self.start) < WINDOW {
            return Vec::new();
        }
        self.start = now;
        self.lines = 0;
        let others = (self.others > 0).then_some(Suppressed { source: None, count: self.others });
        self.others = 0;
        let by_source = std::mem::take(&mut self.sources).into_iter().filter_map(|(source, (_, count))| {
            (count > 0).then_some(Suppressed { source: Some(source), count })
        });
        by_source.chain(others).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(address: &str, app: Option<&str>) -> FloodSource {
        FloodSource::new(address.parse().unwrap(), app)
    }

    #[test]
    fn a_flood_from_one_source_is_logged_with_fifty_lines_a_second_and_a_count_of_the_rest() {
        let start = Instant::now();
        let mut flood = FloodGuard::new(start);
        for millis in 0..1000 {
            let now = start + Duration::from_millis(millis);
            let (admitted, before) = flood.admit(source("203.0.113.9", Some("app")), now);
            assert_eq!((admitted, before), (millis < 50, vec![]));
        }
        // Other sources are still logged.
        let late = start + Duration::from_millis(999);
        assert!(flood.admit(source("203.0.113.9", Some("other")), late).0);
        assert!(flood.admit(source("203.0.113.8", Some("app")), late).0);
        let summary = Suppressed { source: Some(source("203.0.113.9", Some("app"))), count: 950 };
        assert_eq!(flood.rotate(late), []);
        assert_eq!(flood.rotate(start + WINDOW), [summary]);
        // The count is reported once, and the source is logged again.
        let next = start + WINDOW * 2;
        assert_eq!(flood.admit(source("203.0.113.9", Some("app")), next), (true, vec![]));
    }

    #[test]
    fn a_flood_from_many_sources_is_bounded_in_lines_and_memory() {
        let start = Instant::now();
        let mut flood = FloodGuard::new(start);
        let mut admitted = 0;
        for number in 0..100_000_u32 {
            let address = IpAddr::from(number.to_be_bytes());
            admitted += u32::from(flood.admit(FloodSource::new(address, None), start).0);
        }
        assert_eq!(admitted, MAX_LINES);
        assert!(flood.sources.len() <= MAX_LINES as usize);
        let rest = Suppressed { source: None, count: u64::from(100_000 - MAX_LINES) };
        assert_eq!(flood.rotate(start + WINDOW), [rest]);
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_are_one_source() {
        assert_eq!(source("2001:db8::1", None), source("2001:db8::ffff:1", None));
        assert_ne!(source("2001:db8::1", None), source("2001:db8:0:1::1", None));
        assert_ne!(source("192.0.2.1", None), source("192.0.2.2", None));
    }
}
