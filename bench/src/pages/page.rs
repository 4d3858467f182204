//! One page: a client core and its WebSocket. The core's outputs go to the socket and to the record.

use super::{
    grants::Grants,
    record::{Record, SubscriptionRecord},
    socket::{Input, Socket},
};
use crate::load::sealwire;
use anyhow::Result;
use mio::Registry;
use sealwire_client::{
    ChannelSpec, Client, Config, ConnectionId, Draft, Entropy, Event, Instant, Notice, Now, PublishId, State,
    SubscriptionId, Transmit,
};
use sealwire_protocol::wire::ToClient;
use std::{collections::BTreeMap, net::SocketAddr};

/// A page.
pub(super) struct Page {
    index: usize,
    address: SocketAddr,
    core: Client,
    socket: Option<(ConnectionId, Socket)>,
    inputs: Vec<Input>,
    subscriptions: BTreeMap<SubscriptionId, SubscriptionRecord>,
    /// The channel and the number of each message without an answer.
    pending: BTreeMap<PublishId, (u32, usize)>,
    was_connected: bool,
}

/// The system's randomness.
struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the system has randomness");
    }
}

impl Page {
    /// Creates a page and lets it subscribe.
    pub(super) fn open(
        index: usize,
        address: SocketAddr,
        channels: &[u32],
        now: Now,
        record: &mut Record,
    ) -> Self {
        let mut core = Client::new(Config::default(), Box::new(SystemEntropy));
        let subscriptions = channels
            .iter()
            .map(|channel| (core.subscribe(now, spec(*channel), None), record.subscribe(*channel)))
            .collect();
        Self {
            index,
            address,
            core,
            socket: None,
            inputs: Vec::new(),
            subscriptions,
            pending: BTreeMap::new(),
            was_connected: false,
        }
    }

    pub(super) fn publish(&mut self, channel: u32, number: usize, now: Now) {
        let payload = format!("[{number}]");
        let draft = Draft {
            spec: spec(channel),
            event: String::new(),
            payload,
            id: None,
            timeout_ms: None,
            signed: false,
        };
        let publish = self.core.publish_draft(now, draft);
        self.pending.insert(publish, (channel, number));
    }

    /// Reads and writes as much as the socket permits, and passes the results to the core.
    pub(super) fn ready(&mut self, now: Now, buffer: &mut [u8], record: &mut Record) {
        let Some((connection, socket)) = &mut self.socket else { return };
        let connection = *connection;
        socket.ready(buffer, &mut self.inputs);
        for input in self.inputs.drain(..) {
            match input {
                Input::Opened => self.core.handle_opened(now, connection),
                Input::Frame(frame) => {
                    if sealwire::message_kind(&frame) == sealwire::kind::SUBSCRIBED
                        && let Ok(ToClient::Subscribed(subscribed)) = ToClient::from_bytes(frame.clone())
                    {
                        record.subscribed(self.index, subscribed.recovered);
                    }
                    self.core.handle_frame(now, connection, Some(frame));
                }
                Input::Closed(code) => {
                    self.socket = None;
                    self.core.handle_closed(now, connection, code);
                }
            }
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Now) {
        self.core.handle_timeout(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.core.poll_timeout()
    }

    /// Performs everything that the core asks for.
    pub(super) fn drain(
        &mut self,
        now: Now,
        grants: &Grants,
        registry: &Registry,
        record: &mut Record,
    ) -> Result<()> {
        loop {
            if let Some(transmit) = self.core.poll_transmit() {
                self.transmit(transmit, now, registry);
            } else if let Some(event) = self.core.poll_event() {
                if let Event::SessionRequested { fetch, .. } = event {
                    self.core.handle_session(now, fetch, grants.grant(self.index)?);
                } else {
                    self.record(event, record);
                }
            } else {
                return Ok(());
            }
        }
    }

    fn transmit(&mut self, transmit: Transmit, now: Now, registry: &Registry) {
        match transmit {
            Transmit::Connect { connection, .. } => match Socket::open(registry, self.index, self.address) {
                Ok(socket) => self.socket = Some((connection, socket)),
                Err(_) => self.core.handle_closed(now, connection, Some(1006)),
            },
            Transmit::Send { bytes, .. } => {
                if let Some((_, socket)) = &mut self.socket {
                    socket.send(&bytes);
                }
            }
            Transmit::Disconnect { .. } => self.socket = None,
        }
    }

    fn record(&mut self, event: Event, record: &mut Record) {
        match event {
            Event::SubscribeDone { subscription, result } => {
                if let (Some(one), Ok(())) = (self.subscriptions.get(&subscription), &result) {
                    record.confirm(*one);
                } else {
                    record.noticed.failures += 1;
                }
            }
            Event::Message { subscriptions, message } => {
                let number = message.payload.trim_matches(['[', ']']).parse::<usize>();
                for one in subscriptions.iter().filter_map(|id| self.subscriptions.get(id)) {
                    match number {
                        Ok(number) => record.receive(*one, number),
                        Err(_) => record.noticed.failures += 1,
                    }
                }
            }
            Event::Notice { notice: Notice::Gap(_), subscriptions } => {
                record.noticed.gaps += subscriptions.len() as u64;
            }
            Event::Notice { .. } => record.noticed.failures += 1,
            Event::PublishDone { publish, result } => {
                if let Some((channel, number)) = self.pending.remove(&publish) {
                    match result {
                        Ok(_) => record.acknowledge(channel, number),
                        Err(_) => record.noticed.refused_publications += 1,
                    }
                }
            }
            Event::State { state: State::Connected, .. } => {
                record.noticed.reconnects += u64::from(std::mem::replace(&mut self.was_connected, true));
            }
            _ => {}
        }
    }
}

fn spec(channel: u32) -> ChannelSpec {
    ChannelSpec { name: sealwire::channel_name(channel), scope: None, token: None }
}
