//! A client over a WebSocket library, for tests with a few clients.

use super::{App, RelayProcess};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use sealwire_protocol::{
    ChannelId, Code,
    wire::{
        Channel, Failed, Goodbye, Hello, Pong, Publication, Publish, Published, Since, Subscribe, Subscribed,
        ToClient, ToRelay, Welcome,
    },
};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message, client::IntoClientRequest as _, http::HeaderValue,
        protocol::frame::coding::CloseCode as WsCloseCode,
    },
};

/// The longest wait for any message.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A transport for a WebSocket.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

pub struct Client {
    pub socket: WebSocketStream<Box<dyn Stream>>,
    requests: u32,
}

/// The end of a connection: the goodbye, the close code and the time of the last message.
#[derive(Debug)]
pub struct Farewell {
    pub goodbye: Option<Goodbye>,
    pub close: Option<u16>,
    pub at: Instant,
}

pub fn channel(name: &str) -> Channel {
    Channel { name: name.into(), properties: vec!["dashboard".into(), "module".into()], token: String::new() }
}

/// Returns bytes of the length of a sealed message, with `text` after the first 80 bytes.
pub fn sealed(text: &str) -> Bytes {
    let mut sealed = vec![1; 80];
    sealed.extend_from_slice(text.as_bytes());
    sealed.into()
}

impl Client {
    /// Opens a WebSocket, without sending `Hello`.
    pub async fn connect(address: SocketAddr) -> Self {
        Self::handshake(address).await.unwrap()
    }

    /// Returns the error of an opening handshake that must be refused.
    pub async fn refused_connect(address: SocketAddr) -> String {
        Self::handshake(address).await.err().expect("the relay accepted the connection").to_string()
    }

    async fn handshake(address: SocketAddr) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(stream, &[]).await
    }

    /// Opens a WebSocket over a stream, with additional headers.
    pub async fn over(stream: impl Stream, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let mut request = "ws://relay/v1/realtime".into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("sealwire.v1"));
        for (name, value) in headers {
            request.headers_mut().append(*name, HeaderValue::from_str(value).unwrap());
        }
        let (socket, _) = client_async(request, Box::new(stream) as Box<dyn Stream>).await?;
        Ok(Self { socket, requests: 0 })
    }

    pub async fn open(relay: &RelayProcess, account: &str) -> Self {
        Self::open_with(relay, App::one().session(account)).await
    }

    pub async fn open_with(relay: &RelayProcess, token: String) -> Self {
        let mut client = Self::connect(relay.address).await;
        client.hello(token).await;
        client
    }

    pub async fn hello(&mut self, token: String) -> Welcome {
        self.send(ToRelay::Hello(Hello { token })).await;
        match self.next().await {
            ToClient::Welcome(welcome) => welcome,
            other => panic!("{other:?}"),
        }
    }

    /// Sends `Hello` with a token that must be refused with this code.
    pub async fn refused_hello(&mut self, token: String, code: Code) {
        self.send(ToRelay::Hello(Hello { token })).await;
        self.must_end_with(code).await;
    }

    pub async fn send(&mut self, message: ToRelay) {
        self.send_raw(Message::Binary(message.to_bytes().into())).await;
    }

    pub async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    pub fn request(&mut self) -> u32 {
        self.requests += 1;
        self.requests
    }

    /// Returns the next message. Pings are answered and skipped.
    pub async fn next(&mut self) -> ToClient {
        timeout(TIMEOUT, self.next_message())
            .await
            .expect("no message arrived")
            .expect("the connection ended")
    }

    /// Returns the next message, or `None` at the end of the connection.
    async fn next_message(&mut self) -> Option<ToClient> {
        loop {
            match self.socket.next().await? {
                Ok(Message::Binary(bytes)) => match ToClient::from_bytes(bytes).unwrap() {
                    ToClient::Ping(_) => {
                        let pong = ToRelay::Pong(Pong {}).to_bytes();
                        let _ = self.socket.send(Message::Binary(pong.into())).await;
                    }
                    message => return Some(message),
                },
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Returns whether no message arrives for 200 ms.
    pub async fn is_quiet(&mut self) -> bool {
        timeout(Duration::from_millis(200), self.next_message()).await.is_err()
    }

    pub async fn subscribe(&mut self, name: &str) -> ChannelId {
        self.subscribe_since(name, None).await.channel_id()
    }

    pub async fn subscribe_since(&mut self, name: &str, since: Option<Since>) -> Subscribed {
        match self.try_subscribe(channel(name), since, &[]).await {
            ToClient::Subscribed(subscribed) => subscribed,
            other => panic!("{other:?}"),
        }
    }

    pub async fn try_subscribe(
        &mut self,
        channel: Channel,
        since: Option<Since>,
        events: &[&str],
    ) -> ToClient {
        let request = self.request();
        let events = events.iter().map(|event| (*event).to_owned()).collect();
        self.send(ToRelay::Subscribe(Subscribe { request, channel: Some(channel), since, events })).await;
        self.next().await
    }

    pub async fn refused_subscribe(&mut self, channel: Channel) -> Failed {
        match self.try_subscribe(channel, None, &[]).await {
            ToClient::Failed(failed) => failed,
            other => panic!("{other:?}"),
        }
    }

    /// Publishes a message. The next message must be the acknowledgement.
    pub async fn publish(&mut self, name: &str, text: &str) -> Published {
        match self.try_publish(channel(name), "", sealed(text), rand_id()).await {
            ToClient::Published(published) => published,
            other => panic!("{other:?}"),
        }
    }

    pub async fn try_publish(
        &mut self,
        channel: Channel,
        event: &str,
        sealed: Bytes,
        id: [u8; 16],
    ) -> ToClient {
        let request = self.request();
        let publish = Publish {
            request,
            channel: Some(channel),
            event: event.into(),
            sealed,
            id: id.to_vec().into(),
            follows: 0,
            content: Default::default(),
        };
        self.send(ToRelay::Publish(publish)).await;
        self.next().await
    }

    pub async fn publication(&mut self) -> Publication {
        match self.next().await {
            ToClient::Publication(publication) => publication,
            other => panic!("{other:?}"),
        }
    }

    /// Returns the text of the next publication.
    pub async fn text(&mut self) -> String {
        String::from_utf8(self.publication().await.sealed[80..].to_vec()).unwrap()
    }

    /// Reads until the end of the connection.
    pub async fn farewell(&mut self) -> Farewell {
        let read = async {
            let mut farewell = Farewell { goodbye: None, close: None, at: Instant::now() };
            while let Some(Ok(message)) = self.socket.next().await {
                farewell.at = Instant::now();
                match message {
                    Message::Binary(bytes) => {
                        if let ToClient::Goodbye(goodbye) = ToClient::from_bytes(bytes).unwrap() {
                            farewell.goodbye = Some(goodbye);
                        }
                    }
                    Message::Close(frame) => {
                        farewell.close = frame.map(|frame| WsCloseCode::into(frame.code));
                    }
                    _ => {}
                }
            }
            farewell
        };
        timeout(TIMEOUT, read).await.expect("the relay did not close")
    }

    /// Checks that the connection ends with this code and its close code.
    pub async fn must_end_with(&mut self, code: Code) -> Farewell {
        let farewell = self.farewell().await;
        let goodbye = farewell.goodbye.as_ref().unwrap_or_else(|| panic!("no goodbye: {farewell:?}"));
        assert_eq!(Code::from_number(goodbye.code), Some(code), "{farewell:?}");
        assert_eq!(farewell.close, Some(code.close_code() as u16), "{farewell:?}");
        assert!(goodbye.message.len() > 10);
        farewell
    }
}

pub fn rand_id() -> [u8; 16] {
    let mut id = [0; 16];
    getrandom::fill(&mut id).unwrap();
    id
}
