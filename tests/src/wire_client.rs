//! A blocking client that speaks the relay's protocol and nothing more: it does not reconnect and has no keys.

use sealwire_protocol::{
    Scope,
    wire::{Channel, Hello, Publish, SUBPROTOCOL, Since, Subscribe, ToClient, ToRelay, Welcome},
};
use std::{net::TcpStream, time::Duration};
use tungstenite::{
    Message, WebSocket,
    client::IntoClientRequest as _,
    http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL},
};

/// A connection to a relay.
pub struct WireClient {
    socket: WebSocket<TcpStream>,
    requests: u32,
}

impl WireClient {
    /// Opens a WebSocket to `127.0.0.1:port`.
    ///
    /// # Panics
    /// If the relay does not upgrade.
    #[must_use]
    pub fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the relay listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket takes a timeout");
        let address = format!("ws://127.0.0.1:{port}/v1/realtime");
        let mut request = address.into_client_request().expect("the address is well-formed");
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
        let (socket, _) = tungstenite::client(request, stream).expect("the relay upgrades");
        Self { socket, requests: 0 }
    }

    /// Opens a connection and a session.
    ///
    /// # Panics
    /// If the relay does not answer `Welcome`.
    #[must_use]
    pub fn open(port: u16, token: &str) -> (Self, Welcome) {
        let mut client = Self::connect(port);
        client.send(&ToRelay::Hello(Hello { token: token.into() }));
        match client.receive() {
            Some(ToClient::Welcome(welcome)) => (client, welcome),
            other => panic!("the relay answered Hello with {other:?}"),
        }
    }

    /// Sends one message.
    ///
    /// # Panics
    /// If the connection is closed.
    pub fn send(&mut self, message: &ToRelay) {
        self.socket.send(Message::Binary(message.to_bytes().into())).expect("the connection is open");
    }

    /// Returns the next message, skipping pings; `None` once the relay has closed the connection.
    ///
    /// # Panics
    /// If the bytes are not a message of the protocol.
    pub fn receive(&mut self) -> Option<ToClient> {
        loop {
            match self.socket.read() {
                Ok(Message::Binary(bytes)) => {
                    let message = ToClient::from_bytes(bytes).expect("the relay speaks the protocol");
                    if !matches!(message, ToClient::Ping(_)) {
                        return Some(message);
                    }
                }
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Subscribes and returns the relay's answer.
    pub fn subscribe(&mut self, name: &str, scope: &Scope, since: Option<Since>) -> Option<ToClient> {
        self.requests += 1;
        let channel = Some(channel(name, scope));
        self.send(&ToRelay::Subscribe(Subscribe { request: self.requests, channel, since, events: vec![] }));
        self.receive()
    }

    /// Publishes without waiting for the answer.
    ///
    /// # Panics
    /// If the system has no randomness.
    pub fn publish(&mut self, name: &str, scope: &Scope, sealed: Vec<u8>) {
        self.requests += 1;
        let mut id = vec![0; 16];
        getrandom::fill(&mut id).expect("the system has randomness");
        self.send(&ToRelay::Publish(Publish {
            request: self.requests,
            channel: Some(channel(name, scope)),
            event: String::new(),
            sealed: sealed.into(),
            id: id.into(),
            follows: 0,
            content: Default::default(),
        }));
    }
}

fn channel(name: &str, scope: &Scope) -> Channel {
    let properties = scope.iter().map(|(property, _)| property.to_owned()).collect();
    Channel { name: name.into(), properties, token: String::new() }
}
