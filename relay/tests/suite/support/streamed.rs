//! A client of the fallback without WebSocket: one socket on which it reads events, and one for each request that
//! sends.

use super::{Answer, App, Certificate, RelayProcess, Stream, TLS13, channel, rand_id, request_over, sealed};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealwire_protocol::wire::{
    Goodbye, Hello, Pong, Publish, Since, Subscribe, Subscribed, ToClient, ToRelay, Welcome,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};

const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    pub kind: String,
    pub data: String,
}

pub struct Streamed {
    pub address: SocketAddr,
    /// The certificate of the relay, if it terminates TLS.
    pub certificate: Option<Arc<Certificate>>,
    pub socket: BufReader<Box<dyn Stream>>,
    /// The head of the response, in lower case.
    pub head: String,
    pub id: String,
    pub next: u64,
    text: String,
    requests: u32,
}

impl Streamed {
    /// Opens a stream, without sending `Hello`.
    pub async fn connect(address: SocketAddr) -> Self {
        Self::connect_with(address, None).await
    }

    /// Like [`Self::connect`], over TLS if there is a certificate.
    pub async fn connect_with(address: SocketAddr, certificate: Option<Arc<Certificate>>) -> Self {
        let socket = dial(address, certificate.as_deref()).await;
        Self { certificate, ..Self::connect_over(socket, address).await }
    }

    /// Like [`Self::connect`], over an open connection to `address`.
    pub async fn connect_over(socket: impl Stream, address: SocketAddr) -> Self {
        let mut socket: Box<dyn Stream> = Box::new(socket);
        let request = "POST /v1/stream HTTP/1.1\r\nhost: relay\r\norigin: https://page.cdn.prod.atlassian-dev.net\r\n\
            content-length: 0\r\n\r\n";
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut socket = BufReader::new(socket);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            timeout(TIMEOUT, socket.read_line(&mut head)).await.unwrap().unwrap();
        }
        let head = head.to_ascii_lowercase();
        let (id, text) = (String::new(), String::new());
        let mut streamed = Self { address, certificate: None, socket, head, id, next: 0, text, requests: 0 };
        let open = streamed.event().await.unwrap();
        assert_eq!(open.kind, "open");
        streamed.id = open.data;
        streamed
    }

    pub async fn open(relay: &RelayProcess, account: &str) -> Self {
        let mut streamed = Self::connect(relay.address).await;
        streamed.hello(App::one().session(account)).await;
        streamed
    }

    pub async fn hello(&mut self, token: String) -> Welcome {
        self.send(ToRelay::Hello(Hello { token })).await;
        match self.next().await {
            ToClient::Welcome(welcome) => welcome,
            other => panic!("{other:?}"),
        }
    }

    /// Returns the next event, or `None` at the end of the response.
    pub async fn event(&mut self) -> Option<Event> {
        timeout(TIMEOUT, self.read_event()).await.expect("no event arrived")
    }

    async fn read_event(&mut self) -> Option<Event> {
        while !self.text.contains("\n\n") {
            let mut size = String::new();
            self.socket.read_line(&mut size).await.ok().filter(|count| *count > 0)?;
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            self.socket.read_exact(&mut chunk).await.ok()?;
            if size == 0 {
                return None;
            }
            self.text.push_str(std::str::from_utf8(&chunk[..size]).unwrap());
        }
        let (event, rest) = self.text.split_once("\n\n").unwrap();
        let (mut kind, mut data) = (String::new(), String::new());
        for line in event.lines() {
            match line.split_once(": ").unwrap() {
                ("event", value) => kind = value.into(),
                ("data", value) => data = value.into(),
                other => panic!("{other:?}"),
            }
        }
        self.text = rest.to_owned();
        Some(Event { kind, data })
    }

    /// Returns the next message. Pings are answered and skipped.
    pub async fn next(&mut self) -> ToClient {
        loop {
            let event = self.event().await.expect("the stream ended");
            assert_eq!(event.kind, "");
            match ToClient::from_bytes(STANDARD.decode(event.data).unwrap().into()).unwrap() {
                ToClient::Ping(_) => self.send(ToRelay::Pong(Pong {})).await,
                message => return message,
            }
        }
    }

    /// Reads until the end of the stream. Returns the goodbye and the close code, if any.
    pub async fn farewell(&mut self) -> (Option<Goodbye>, Option<u16>) {
        let (mut goodbye, mut close) = (None, None);
        while let Some(event) = self.event().await {
            match &*event.kind {
                "close" => close = Some(event.data.parse().unwrap()),
                _ => {
                    let message = STANDARD.decode(event.data).unwrap();
                    if let ToClient::Goodbye(last) = ToClient::from_bytes(message.into()).unwrap() {
                        goodbye = Some(last);
                    }
                }
            }
        }
        (goodbye, close)
    }

    pub async fn send(&mut self, message: ToRelay) {
        let answer = self.post(self.next, &[&message.to_bytes()]).await;
        self.next += 1;
        assert_eq!((answer.status, answer.body["next"].as_u64()), (200, Some(self.next)), "{answer:?}");
    }

    pub async fn post(&self, first: u64, messages: &[&[u8]]) -> Answer {
        let socket = dial(self.address, self.certificate.as_deref()).await;
        post_over(socket, &self.id, first, messages).await
    }

    pub async fn subscribe_since(&mut self, name: &str, since: Option<Since>) -> Subscribed {
        let request = self.request();
        let subscribe = Subscribe { request, channel: Some(channel(name)), since, events: Vec::new() };
        self.send(ToRelay::Subscribe(subscribe)).await;
        match self.next().await {
            ToClient::Subscribed(subscribed) => subscribed,
            other => panic!("{other:?}"),
        }
    }

    pub fn publishing(&mut self, name: &str, text: &str) -> ToRelay {
        ToRelay::Publish(Publish {
            request: self.request(),
            channel: Some(channel(name)),
            event: String::new(),
            sealed: sealed(text),
            id: rand_id().to_vec().into(),
            follows: 0,
            content: Default::default(),
        })
    }

    /// Returns the text of the next publication.
    pub async fn text(&mut self) -> String {
        match self.next().await {
            ToClient::Publication(publication) => {
                String::from_utf8(publication.sealed[80..].to_vec()).unwrap()
            }
            other => panic!("{other:?}"),
        }
    }

    fn request(&mut self) -> u32 {
        self.requests += 1;
        self.requests
    }
}

pub async fn post_to(address: SocketAddr, stream: &str, first: u64, messages: &[&[u8]]) -> Answer {
    post_over(dial(address, None).await, stream, first, messages).await
}

async fn dial(address: SocketAddr, certificate: Option<&Certificate>) -> Box<dyn Stream> {
    match certificate {
        Some(certificate) => Box::new(certificate.connect(address, &TLS13).await.unwrap()),
        None => Box::new(TcpStream::connect(address).await.unwrap()),
    }
}

async fn post_over(socket: Box<dyn Stream>, stream: &str, first: u64, messages: &[&[u8]]) -> Answer {
    let lines: String = messages.iter().map(|message| format!("\n{}", STANDARD.encode(message))).collect();
    let body = format!("{stream} {first}{lines}");
    let request = format!(
        "POST /v1/send HTTP/1.1\r\nhost: relay\r\nconnection: close\r\ncontent-length: {}\r\n\
         origin: https://page.cdn.prod.atlassian-dev.net\r\ncontent-type: text/plain;charset=UTF-8\r\n\r\n{body}",
        body.len()
    );
    request_over(socket, request.as_bytes()).await
}
