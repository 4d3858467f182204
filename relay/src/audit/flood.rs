//! Which refused attempts are written down and which are only counted, so that nobody can fill the log. No I/O: time is
//! an argument.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    time::{Duration, Instant},
};

/// Counting starts anew so often.
const WINDOW: Duration = Duration::from_secs(1);
/// Lines of one address and app in a window.
const LINES_EACH: u32 = 50;
/// Lines in a window altogether.
const LINES: u32 = 500;

/// Who is refused: an address and, where a token says so, an app.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Flooder {
    network: IpAddr,
    app: Option<Box<str>>,
}

impl Flooder {
    /// Of IPv6, the network counts: whoever has one address there has 2⁶⁴.
    pub(super) fn new(remote: IpAddr, app: Option<&str>) -> Self {
        let network = match remote {
            IpAddr::V4(_) => remote,
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        };
        Self { network, app: app.map(Into::into) }
    }

    pub(super) fn network(&self) -> IpAddr {
        self.network
    }

    pub(super) fn app(&self) -> Option<&str> {
        self.app.as_deref()
    }
}

/// What was only counted in a window that is over: of one flooder, or of all who came when the log was full.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Suppressed {
    pub(super) flooder: Option<Flooder>,
    pub(super) count: u64,
}

pub(super) struct Flood {
    start: Instant,
    lines: u32,
    /// At most [`LINES`] entries: whoever is not in it when the log is full is counted with the others.
    flooders: HashMap<Flooder, (u32, u64)>,
    others: u64,
}

impl Flood {
    pub(super) fn new(now: Instant) -> Self {
        Self { start: now, lines: 0, flooders: HashMap::new(), others: 0 }
    }

    /// Whether an attempt is written down, and what is to be said of the window before, if one is over.
    pub(super) fn admit(&mut self, flooder: Flooder, now: Instant) -> (bool, Vec<Suppressed>) {
        let before = self.turn(now);
        if self.lines < LINES {
            let (lines, suppressed) = self.flooders.entry(flooder).or_default();
            if *lines < LINES_EACH {
                *lines += 1;
                self.lines += 1;
                return (true, before);
            }
            *suppressed += 1;
        } else if let Some((_, suppressed)) = self.flooders.get_mut(&flooder) {
            *suppressed += 1;
        } else {
            self.others += 1;
        }
        (false, before)
    }

    /// Starts anew where the window is over. Returns what was only counted in it.
    pub(super) fn turn(&mut self, now: Instant) -> Vec<Suppressed> {
        if now.saturating_duration_since(self.start) < WINDOW {
            return Vec::new();
        }
        self.start = now;
        self.lines = 0;
        let others = (self.others > 0).then_some(Suppressed { flooder: None, count: self.others });
        self.others = 0;
        let flooders = std::mem::take(&mut self.flooders).into_iter();
        let each = flooders.filter_map(|(flooder, (_, count))| {
            (count > 0).then_some(Suppressed { flooder: Some(flooder), count })
        });
        each.chain(others).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flooder(address: &str, app: Option<&str>) -> Flooder {
        Flooder::new(address.parse().unwrap(), app)
    }

    #[test]
    fn a_flood_of_refusals_becomes_fifty_lines_a_second_and_one_that_counts_the_rest() {
        let start = Instant::now();
        let mut flood = Flood::new(start);
        for millis in 0..1000 {
            let now = start + Duration::from_millis(millis);
            let (admitted, before) = flood.admit(flooder("203.0.113.9", Some("app")), now);
            assert_eq!((admitted, before), (millis < 50, vec![]));
        }
        // Others are written down meanwhile.
        let late = start + Duration::from_millis(999);
        assert!(flood.admit(flooder("203.0.113.9", Some("other")), late).0);
        assert!(flood.admit(flooder("203.0.113.8", Some("app")), late).0);
        let summary = Suppressed { flooder: Some(flooder("203.0.113.9", Some("app"))), count: 950 };
        assert_eq!(flood.turn(late), []);
        assert_eq!(flood.turn(start + WINDOW), [summary]);
        // Once, and then the same may be said again.
        let next = start + WINDOW * 2;
        assert_eq!(flood.admit(flooder("203.0.113.9", Some("app")), next), (true, vec![]));
    }

    #[test]
    fn a_flood_from_everywhere_is_bounded_as_a_whole() {
        let start = Instant::now();
        let mut flood = Flood::new(start);
        let mut admitted = 0;
        for number in 0..100_000_u32 {
            let address = IpAddr::from(number.to_be_bytes());
            admitted += u32::from(flood.admit(Flooder::new(address, None), start).0);
        }
        assert_eq!(admitted, LINES);
        assert!(flood.flooders.len() <= LINES as usize);
        let rest = Suppressed { flooder: None, count: u64::from(100_000 - LINES) };
        assert_eq!(flood.turn(start + WINDOW), [rest]);
    }

    #[test]
    fn the_addresses_of_one_network_count_together() {
        assert_eq!(flooder("2001:db8::1", None), flooder("2001:db8::ffff:1", None));
        assert_ne!(flooder("2001:db8::1", None), flooder("2001:db8:0:1::1", None));
        assert_ne!(flooder("192.0.2.1", None), flooder("192.0.2.2", None));
    }
}
