//! Connections between clients and the relay: each with its own delay, so that one may overtake another; cut at any byte.

use bytes::Bytes;
use sealwire_client::{ConnectionId, DecryptionId, FetchId, RenewalId};
use sealwire_protocol::wire::{ToClient, ToRelay};
use std::{collections::BTreeMap, fmt};

/// One WebSocket.
pub(super) struct Link {
    pub(super) client: usize,
    pub(super) connection: ConnectionId,
    delay_ms: u64,
    /// Nothing that is sent from now on arrives.
    cut: bool,
    /// When the newest message of each direction arrives: none overtakes another.
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
            Self::Session(client, _, answer) => write!(f, "client {client}: session {answer:?}"),
            Self::Token(client, _, answer) => write!(f, "client {client}: token {answer:?}"),
            Self::Opening(client, opening, plaintext) => {
                write!(f, "client {client}: {opening:?} {}", plaintext.is_some())
            }
            Self::Awake => write!(f, "awake"),
        }
    }
}

/// What arrives somewhere. The number is the link's.
pub(super) enum Arrival {
    Connect(u64),
    Opened(u64),
    AtRelay(u64, Bytes),
    AtClient(u64, Bytes),
    ClosedAtClient(u64, Option<u16>),
    ClosedAtRelay(u64),
    /// An answer of the app: to a client.
    Session(usize, FetchId, Option<Answer>),
    Token(usize, RenewalId, Option<Answer>),
    /// A message that the platform opened, or not.
    Opening(usize, DecryptionId, Option<Vec<u8>>),
    Awake,
}

/// Of what moments a session or a token is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// When it was signed.
    pub(super) signed_at: u64,
    /// When the process that signed it read the keys.
    pub(super) keys_of: u64,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Toward {
    Relay,
    Client,
}

impl Arrival {
    /// The client that has to be awake for it.
    pub(super) fn client(&self, network: &Network) -> Option<usize> {
        match self {
            Self::Opened(link) | Self::AtClient(link, _) | Self::ClosedAtClient(link, _) => {
                Some(network.links[*link as usize].client)
            }
            Self::Session(client, ..) | Self::Token(client, ..) | Self::Opening(client, ..) => Some(*client),
            Self::Connect(_) | Self::AtRelay(..) | Self::ClosedAtRelay(_) | Self::Awake => None,
        }
    }

    fn on(&self, wanted: u64, toward: Toward) -> Option<usize> {
        match self {
            Self::Connect(link) if *link == wanted && toward == Toward::Relay => Some(1),
            Self::AtRelay(link, bytes) if *link == wanted && toward == Toward::Relay => Some(bytes.len()),
            Self::Opened(link) if *link == wanted && toward == Toward::Client => Some(1),
            Self::AtClient(link, bytes) if *link == wanted && toward == Toward::Client => Some(bytes.len()),
            _ => None,
        }
    }
}

#[derive(Default)]
pub(super) struct Network {
    pub(super) links: Vec<Link>,
    under_way: BTreeMap<(u64, u64), Arrival>,
    sent: u64,
}

impl Network {
    pub(super) fn open(&mut self, client: usize, connection: ConnectionId, delay_ms: u64) -> u64 {
        self.links.push(Link { client, connection, delay_ms, cut: false, newest: [0; 2] });
        self.links.len() as u64 - 1
    }

    pub(super) fn link(&self, client: usize, connection: ConnectionId) -> Option<u64> {
        let is = |link: &Link| (link.client, link.connection) == (client, connection);
        self.links.iter().rposition(is).map(|index| index as u64)
    }

    /// Links that still work.
    pub(super) fn working(&self) -> Vec<u64> {
        (0..self.links.len() as u64).filter(|link| !self.links[*link as usize].cut).collect()
    }

    /// The longest delay among the links that still work.
    pub(super) fn slowest_ms(&self) -> u64 {
        self.links.iter().filter(|link| !link.cut).map(|link| link.delay_ms).max().unwrap_or(0)
    }

    pub(super) fn next(&self) -> Option<u64> {
        self.under_way.keys().next().map(|(at, _)| *at)
    }

    pub(super) fn take_due(&mut self, now: u64) -> Option<(u64, Arrival)> {
        let entry = self.under_way.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((_, number), arrival) = entry.remove_entry();
        Some((number, arrival))
    }

    /// Puts off what arrived, in its old order.
    pub(super) fn put_off(&mut self, number: u64, until: u64, arrival: Arrival) {
        self.under_way.insert((until, number), arrival);
    }

    pub(super) fn at(&mut self, at: u64, arrival: Arrival) {
        self.sent += 1;
        self.under_way.insert((at, self.sent), arrival);
    }

    pub(super) fn send(&mut self, now: u64, link: u64, toward: Toward, arrival: Arrival) {
        let state = &mut self.links[link as usize];
        if !state.cut {
            let newest = &mut state.newest[toward as usize];
            *newest = (*newest).max(now + state.delay_ms);
            let at = *newest;
            self.at(at, arrival);
        }
    }

    /// Cuts a link. Of what is under way, what lies before the byte that `choose` picks still arrives whole; returns when
    /// the last of it does, in each direction.
    pub(super) fn cut(&mut self, link: u64, mut choose: impl FnMut(usize) -> usize) -> [u64; 2] {
        let newest = self.links[link as usize].newest;
        self.links[link as usize].cut = true;
        for toward in [Toward::Relay, Toward::Client] {
            let sized =
                |(key, arrival): (&(u64, u64), &Arrival)| Some((key.1, *key, arrival.on(link, toward)?));
            let mut messages: Vec<_> = self.under_way.iter().filter_map(sized).collect();
            // In the order of sending, which what waits for a sleeper no longer arrives in.
            messages.sort_unstable();
            let mut left = choose(messages.iter().map(|(.., size)| size).sum::<usize>() + 1);
            for (_, key, size) in messages {
                if size > left {
                    left = 0;
                    self.under_way.remove(&key);
                } else {
                    left -= size;
                }
            }
        }
        newest
    }
}
