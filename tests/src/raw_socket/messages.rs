//! Sealwire's protocol on a raw socket: sessions, requests and their answers.

use super::{RawSocket, Received};
use crate::{frame, upgrade_request};
use sealwire_protocol::wire::{Channel, Hello, Publish, Since, Subscribe, ToClient, ToRelay};

impl RawSocket {
    /// Connects, upgrades and opens a session.
    ///
    /// # Panics
    /// If the relay does not answer `Welcome`.
    #[must_use]
    pub fn open(port: u16, token: &str) -> Self {
        let mut socket = Self::upgraded(port);
        socket.hello(token);
        socket
    }

    /// Connects, upgrades and opens a session; `None` if the relay refuses any of these.
    #[must_use]
    pub fn try_open(port: u16, token: &str) -> Option<Self> {
        let mut socket = Self::try_connect(port)?;
        socket.send(&upgrade_request(""));
        socket.response_head().starts_with("HTTP/1.1 101").then_some(())?;
        socket.send_message(&ToRelay::Hello(Hello { token: token.into() }));
        let welcome = matches!(socket.receive(), Received::Message(message) if matches!(*message, ToClient::Welcome(_)));
        welcome.then_some(socket)
    }

    /// Opens a session.
    ///
    /// # Panics
    /// If the relay does not answer `Welcome`.
    pub fn hello(&mut self, token: &str) {
        self.send_message(&ToRelay::Hello(Hello { token: token.into() }));
        match self.expect_message() {
            ToClient::Welcome(_) => {}
            other => panic!("the relay answered Hello with {other:?}"),
        }
    }

    /// Sends a message of the protocol in one frame. Returns false if the relay has closed the connection.
    pub fn send_message(&mut self, message: &ToRelay) -> bool {
        self.send(&frame(0x82, &message.to_bytes()))
    }

    /// Returns the number of the next request.
    pub fn request(&mut self) -> u32 {
        self.requests += 1;
        self.requests
    }

    /// Subscribes and returns the relay's answer.
    ///
    /// # Panics
    /// If the connection ends first.
    pub fn subscribe(&mut self, channel: Channel, since: Option<Since>) -> ToClient {
        let request = self.request();
        self.send_message(&ToRelay::Subscribe(Subscribe {
            request,
            channel: Some(channel),
            since,
            events: vec![],
        }));
        self.expect_message()
    }

    /// Publishes and returns the relay's answer. A relay of a cluster may deliver the message to this session before it
    /// answers, so publications that arrive first are held back for [`Self::receive`].
    ///
    /// # Panics
    /// If the connection ends first.
    pub fn publish(&mut self, channel: Channel, sealed: Vec<u8>, id: [u8; 16]) -> ToClient {
        let message = self.publication(channel, sealed, id);
        self.send_message(&message);
        loop {
            match self.receive_next() {
                Received::Message(message) => match *message {
                    publication @ ToClient::Publication(_) => {
                        self.held.push_back(Received::Message(Box::new(publication)));
                    }
                    answer => return answer,
                },
                other => panic!("received {other:?} instead of a message"),
            }
        }
    }

    /// Returns a `Publish` message under the next request number, without sending it.
    pub fn publication(&mut self, channel: Channel, sealed: Vec<u8>, id: [u8; 16]) -> ToRelay {
        let request = self.request();
        let (event, id) = (String::new(), id.to_vec().into());
        ToRelay::Publish(Publish {
            request,
            channel: Some(channel),
            event,
            sealed: sealed.into(),
            id,
            follows: 0,
            content: Default::default(),
        })
    }

    /// Returns the next message of the protocol.
    ///
    /// # Panics
    /// If something else arrives, or the connection ends.
    pub fn expect_message(&mut self) -> ToClient {
        match self.receive() {
            Received::Message(message) => *message,
            other => panic!("received {other:?} instead of a message"),
        }
    }
}
