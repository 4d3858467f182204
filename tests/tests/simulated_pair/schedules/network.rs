//! The connections between clients and the relay. Each has its own delay, so that one may overtake another, and can be cut
//! at any byte.

use bytes::Bytes;
use sealwire_client::{ConnectionId, DecryptionId, FetchId, RenewalId, SigningId, VerificationId};
use sealwire_protocol::wire::{ToClient, ToRelay};
use std::{collections::BTreeMap, fmt};

/// A WebSocket.
pub(crate) struct Link {
    pub(crate) client: usize,
    pub(crate) connection: ConnectionId,
    delay_ms: u64,
    /// After a cut, nothing that is sent arrives.
    cut: bool,
    /// For each direction, the arrival of the newest message, so that no message overtakes another.
    newest: [u64; 2],
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(link) => write!(f, "link {link}: connect"),
            Self::Opened(link) => write!(f, "link {link}: opened"),
            Self::AtRelay(link, bytes) => write!(f, "link {link}: {:?}", ToRelay::from_bytes(bytes.clone())),
            Self::AtClient(link, bytes) => {
                write!(f, "link {link}: {:?}", ToClient::from_bytes(bytes.clone()))
            }
            Self::ClosedAtClient(link, code) => write!(f, "link {link}: closed at the client, {code:?}"),
            Self::ClosedAtRelay(link) => write!(f, "link {link}: closed at the relay"),
            Self::Session(client, _, certify, answer) => {
                write!(f, "client {client}: session {answer:?}, certified: {certify}")
            }
            Self::Token(client, _, answer) => write!(f, "client {client}: token {answer:?}"),
            Self::Opening(client, opening, plaintext) => {
                write!(f, "client {client}: {opening:?} {}", plaintext.is_some())
            }
            Self::Verified(client, verification, is_valid) => {
                write!(f, "client {client}: {verification:?} {is_valid}")
            }
            Self::Signed(client, signing) => write!(f, "client {client}: signed {signing:?}"),
            Self::Awake => write!(f, "awake"),
        }
    }
}

/// Something that arrives at the relay or at a client. The first number is the link, if there is one.
pub(crate) enum Arrival {
    Connect(u64),
    Opened(u64),
    AtRelay(u64, Bytes),
    AtClient(u64, Bytes),
    ClosedAtClient(u64, Option<u16>),
    ClosedAtRelay(u64),
    /// The app's answer to a client's request for a session, and whether the session certifies the page.
    Session(usize, FetchId, bool, Option<Answer>),
    /// The app's answer to a client's request for a channel token.
    Token(usize, RenewalId, Option<Answer>),
    /// The platform's answer to a client's request to decrypt a message.
    Opening(usize, DecryptionId, Option<Vec<u8>>),
    /// The platform's answer to a client's request to verify a signature.
    Verified(usize, VerificationId, bool),
    /// The signature of a page, which its platform made.
    Signed(usize, SigningId),
    /// The end of a machine's sleep.
    Awake,
}

/// The times that determine a session or a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    /// The time of its signature.
    pub(crate) signed_at: u64,
    /// The time at which the signing process read the keys.
    pub(crate) keys_read_at: u64,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Direction {
    ToRelay,
    ToClient,
}

impl Arrival {
    /// Returns the client that must be awake to receive it.
    pub(crate) fn client(&self, network: &Network) -> Option<usize> {
        match self {
            Self::Opened(link) | Self::AtClient(link, _) | Self::ClosedAtClient(link, _) => {
                Some(network.links[*link as usize].client)
            }
            Self::Session(client, ..)
            | Self::Token(client, ..)
            | Self::Opening(client, ..)
            | Self::Signed(client, ..)
            | Self::Verified(client, ..) => Some(*client),
            Self::Connect(_) | Self::AtRelay(..) | Self::ClosedAtRelay(_) | Self::Awake => None,
        }
    }

    /// Returns its size if it travels on this link in this direction.
    fn size_on(&self, wanted: u64, direction: Direction) -> Option<usize> {
        match self {
            Self::Connect(link) if *link == wanted && direction == Direction::ToRelay => Some(1),
            Self::AtRelay(link, bytes) if *link == wanted && direction == Direction::ToRelay => {
                Some(bytes.len())
            }
            Self::Opened(link) if *link == wanted && direction == Direction::ToClient => Some(1),
            Self::AtClient(link, bytes) if *link == wanted && direction == Direction::ToClient => {
                Some(bytes.len())
            }
            _ => None,
        }
    }
}

#[derive(Default)]
pub(crate) struct Network {
    pub(crate) links: Vec<Link>,
    in_flight: BTreeMap<(u64, u64), Arrival>,
    sent: u64,
}

impl Network {
    pub(crate) fn open(&mut self, client: usize, connection: ConnectionId, delay_ms: u64) -> u64 {
        self.links.push(Link { client, connection, delay_ms, cut: false, newest: [0; 2] });
        self.links.len() as u64 - 1
    }

    pub(crate) fn link(&self, client: usize, connection: ConnectionId) -> Option<u64> {
        let is = |link: &Link| (link.client, link.connection) == (client, connection);
        self.links.iter().rposition(is).map(|index| index as u64)
    }

    /// Returns the links that were not cut.
    pub(crate) fn connected(&self) -> Vec<u64> {
        (0..self.links.len() as u64).filter(|link| !self.links[*link as usize].cut).collect()
    }

    /// Returns the longest delay of the links that were not cut.
    pub(crate) fn max_delay_ms(&self) -> u64 {
        self.links.iter().filter(|link| !link.cut).map(|link| link.delay_ms).max().unwrap_or(0)
    }

    pub(crate) fn next(&self) -> Option<u64> {
        self.in_flight.keys().next().map(|(at, _)| *at)
    }

    pub(crate) fn take_due(&mut self, now: u64) -> Option<(u64, Arrival)> {
        let entry = self.in_flight.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((_, number), arrival) = entry.remove_entry();
        Some((number, arrival))
    }

    /// Postpones an arrival, in its old order.
    pub(crate) fn postpone(&mut self, number: u64, until: u64, arrival: Arrival) {
        self.in_flight.insert((until, number), arrival);
    }

    pub(crate) fn at(&mut self, at: u64, arrival: Arrival) {
        self.sent += 1;
        self.in_flight.insert((at, self.sent), arrival);
    }

    pub(crate) fn send(&mut self, now: u64, link: u64, direction: Direction, arrival: Arrival) {
        let state = &mut self.links[link as usize];
        if !state.cut {
            let newest = &mut state.newest[direction as usize];
            *newest = (*newest).max(now + state.delay_ms);
            let at = *newest;
            self.at(at, arrival);
        }
    }

    /// Cuts a link. In each direction, `choose` picks a byte among those in flight; messages that end before it still
    /// arrive. Returns the arrival of the newest message in each direction.
    pub(crate) fn cut(&mut self, link: u64, mut choose: impl FnMut(usize) -> usize) -> [u64; 2] {
        let newest = self.links[link as usize].newest;
        self.links[link as usize].cut = true;
        for direction in [Direction::ToRelay, Direction::ToClient] {
            let sized = |(key, arrival): (&(u64, u64), &Arrival)| {
                Some((key.1, *key, arrival.size_on(link, direction)?))
            };
            let mut messages: Vec<_> = self.in_flight.iter().filter_map(sized).collect();
            // The messages are sorted by the order of sending; their arrivals may differ if a machine sleeps.
            messages.sort_unstable();
            let mut left = choose(messages.iter().map(|(.., size)| size).sum::<usize>() + 1);
            for (_, key, size) in messages {
                if size > left {
                    left = 0;
                    self.in_flight.remove(&key);
                } else {
                    left -= size;
                }
            }
        }
        newest
    }
}
