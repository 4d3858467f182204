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

/// A client of a socket and nothing more, for tests with thousands of them.
pub struct LightClient {
    stream: TcpStream,
    /// The rest of what the WebSocket brought last.
    waiting: Option<Messages>,
    /// Messages of the WebSocket so far.
    pub brought: usize,
}

/// What came.
pub enum Came {
    Message(ToClient),
    Goodbye(Goodbye),
    /// Without a goodbye before it.
    End,
}

impl LightClient {
    /// Opens a WebSocket and a session.
    pub async fn open(address: SocketAddr, token: &str) -> Self {
        Self::open_over(TcpStream::connect(address).await.unwrap(), SUBPROTOCOL, token).await
    }

    /// The same over a connection that is there, for a subprotocol.
    pub async fn open_over(stream: TcpStream, subprotocol: &str, token: &str) -> Self {
        let stream = raw::handshake_for(stream, subprotocol).await;
        let mut client = Self { stream, waiting: None, brought: 0 };
        client.send(&[ToRelay::Hello(Hello { token: token.into() })]).await;
        match client.next().await {
            Came::Message(ToClient::Welcome(_)) => client,
            _ => panic!("no welcome"),
        }
    }

    /// All in one write.
    pub async fn send(&mut self, messages: &[ToRelay]) {
        let frames: Vec<u8> = messages.iter().flat_map(|message| masked(0x82, &message.to_bytes())).collect();
        // Who has been told goodbye meanwhile reads it next.
        let _ = self.stream.write_all(&frames).await;
    }

    /// A frame of less than 64 KiB, masked with zeros, which costs a test nothing.
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
            Came::Message(ToClient::Subscribed(subscribed)) => subscribed,
            _ => panic!("not subscribed"),
        }
    }

    /// What comes next; pings are answered.
    pub async fn next(&mut self) -> Came {
        loop {
            let Some(message) = self.waiting.as_mut().and_then(Iterator::next) else {
                let Some((0x82, payload)) = raw::read_any_frame(&mut self.stream).await else {
                    return Came::End;
                };
                self.waiting = Some(Messages::of(payload.into()));
                self.brought += 1;
                continue;
            };
            match ToClient::from_bytes(message.unwrap()).unwrap() {
                ToClient::Ping(_) => self.send(&[ToRelay::Pong(Pong {})]).await,
                ToClient::Goodbye(goodbye) => {
                    // The close frame is the last one.
                    let (opcode, status) =
                        raw::read_any_frame(&mut self.stream).await.expect("a close frame");
                    let code = Code::from_number(goodbye.code).unwrap();
                    assert_eq!((opcode, &status[..]), (0x88, &(code.close_code() as u16).to_be_bytes()[..]));
                    return Came::Goodbye(goodbye);
                }
                message => return Came::Message(message),
            }
        }
    }
}

/// A message whose id says which one it is.
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
    })
}

/// Waits until the process has ended by itself.
pub async fn ended(relay: &mut RelayProcess) -> std::process::ExitStatus {
    loop {
        if let Some(status) = relay.child.try_wait().unwrap() {
            return status;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
