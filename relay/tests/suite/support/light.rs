//! A minimal client for tests with thousands of clients.

use super::{RelayProcess, channel, masked, raw, sealed};
use sealwire_protocol::{
    Code,
    wire::{
        Goodbye, Hello, Messages, Pong, Position, Publish, SUBPROTOCOL, Since, Subscribe, Subscribed,
        ToClient, ToRelay,
    },
};
use std::net::SocketAddr;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

/// A client that consists of little more than a socket.
pub struct LightClient {
    stream: TcpStream,
    /// The remaining messages of the last WebSocket message.
    waiting: Option<Messages>,
    /// The number of WebSocket messages so far.
    pub websocket_messages: usize,
}

/// The next event of a connection.
pub enum Received {
    Message(ToClient),
    Goodbye(Goodbye),
    /// The end of the connection without a goodbye.
    End,
}

impl LightClient {
    /// Opens a WebSocket and a session.
    pub async fn open(address: SocketAddr, token: &str) -> Self {
        Self::open_over(TcpStream::connect(address).await.unwrap(), SUBPROTOCOL, token).await
    }

    /// Like [`Self::open`], over an open connection and with this subprotocol.
    pub async fn open_over(stream: TcpStream, subprotocol: &str, token: &str) -> Self {
        let stream = raw::handshake_for(stream, subprotocol).await;
        let mut client = Self { stream, waiting: None, websocket_messages: 0 };
        client.send(&[ToRelay::Hello(Hello { token: token.into() })]).await;
        match client.next().await {
            Received::Message(ToClient::Welcome(_)) => client,
            _ => panic!("no welcome"),
        }
    }

    /// Sends messages in one write.
    pub async fn send(&mut self, messages: &[ToRelay]) {
        let frames: Vec<u8> = messages.iter().flat_map(|message| masked(0x82, &message.to_bytes())).collect();
        // If the write fails, the client reads the goodbye next.
        let _ = self.stream.write_all(&frames).await;
    }

    /// Sends a frame of less than 64 KiB. It is masked with zeros, which saves the test time.
    pub async fn send_large(&mut self, message: &ToRelay) {
        let payload = message.to_bytes();
        let mut frame = vec![0x82, 0xfe];
        frame.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(payload);
        self.stream.write_all(&frame).await.unwrap();
    }

    pub async fn subscribe(&mut self, name: &str, since: Option<Position>) -> Subscribed {
        self.subscribe_since(name, since.map(Since::Position)).await
    }

    pub async fn subscribe_since(&mut self, name: &str, since: Option<Since>) -> Subscribed {
        let subscribe = Subscribe { request: 1, channel: Some(channel(name)), since, events: vec![] };
        self.send(&[ToRelay::Subscribe(subscribe)]).await;
        match self.next().await {
            Received::Message(ToClient::Subscribed(subscribed)) => subscribed,
            _ => panic!("not subscribed"),
        }
    }

    /// Returns the next event. Pings are answered and skipped.
    pub async fn next(&mut self) -> Received {
        loop {
            let Some(message) = self.waiting.as_mut().and_then(Iterator::next) else {
                let Some((0x82, payload)) = raw::read_any_frame(&mut self.stream).await else {
                    return Received::End;
                };
                self.waiting = Some(Messages::of(payload.into()));
                self.websocket_messages += 1;
                continue;
            };
            match ToClient::from_bytes(message.unwrap()).unwrap() {
                ToClient::Ping(_) => self.send(&[ToRelay::Pong(Pong {})]).await,
                ToClient::Goodbye(goodbye) => {
                    // The close frame follows the goodbye.
                    let (opcode, status) =
                        raw::read_any_frame(&mut self.stream).await.expect("a close frame");
                    let code = Code::from_number(goodbye.code).unwrap();
                    assert_eq!((opcode, &status[..]), (0x88, &(code.close_code() as u16).to_be_bytes()[..]));
                    return Received::Goodbye(goodbye);
                }
                message => return Received::Message(message),
            }
        }
    }
}

/// Returns a publication whose id contains the publisher and the number.
pub fn numbered(name: &str, publisher: usize, number: u32) -> ToRelay {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&(publisher as u64).to_be_bytes());
    id[8..12].copy_from_slice(&number.to_be_bytes());
    ToRelay::Publish(Publish {
        request: number,
        channel: Some(channel(name)),
        event: String::new(),
        sealed: sealed(""),
        id: id.to_vec().into(),
        follows: 0,
        content: Default::default(),
    })
}

/// Waits until the process has ended.
pub async fn ended(relay: &mut RelayProcess) -> std::process::ExitStatus {
    loop {
        if let Some(status) = relay.child.try_wait().unwrap() {
            return status;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
