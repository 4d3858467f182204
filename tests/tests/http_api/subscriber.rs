//! The client core on a real socket, driven as a page drives it.

use sealwire_client::{
    ChannelSpec, Client, Config, ConnectionId, Entropy, Event, GrantKey, Instant, Message, Now, SessionGrant,
    Transmit,
};
use sealwire_protocol::{EncryptionKey, Scope, UnixMillis, UnixSeconds, wire::SUBPROTOCOL};
use sealwire_tests::{Installation, RelayProcess};
use std::{
    net::TcpStream,
    time::{Duration, Instant as StdInstant, SystemTime},
};
use tungstenite::{
    Message as Frame, WebSocket,
    client::IntoClientRequest as _,
    http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL},
};

/// The lifetime of a session in seconds.
const LIFETIME: u64 = 300;

struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }
}

/// A client with one subscription.
pub(crate) struct Subscriber {
    core: Client,
    start: StdInstant,
    grant: SessionGrant,
    socket: Option<(ConnectionId, WebSocket<TcpStream>)>,
}

impl Subscriber {
    /// Subscribes to a channel whose scope is `context`, and waits for the relay's confirmation.
    pub(crate) fn new(
        relay: &RelayProcess,
        installation: &Installation,
        context: &Scope,
        name: &str,
    ) -> Self {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        Self::at(UnixSeconds(wall).millis(), relay, installation, context, name)
    }

    /// Subscribes like [`Self::new`], with a session that says that it is `issued_at`.
    pub(crate) fn at(
        issued_at: UnixMillis,
        relay: &RelayProcess,
        installation: &Installation,
        context: &Scope,
        name: &str,
    ) -> Self {
        let mut subscriber = Self {
            core: Client::new(Config::default(), Box::new(SystemEntropy)),
            start: StdInstant::now(),
            grant: SessionGrant { issued_at_ms: issued_at, ..grant(relay.port, installation, context) },
            socket: None,
        };
        let spec = ChannelSpec { name: name.into(), scope: None, token: None };
        let now = subscriber.now();
        let subscription = subscriber.core.subscribe(now, spec, None);
        loop {
            if let Event::SubscribeDone { subscription: done, result } = subscriber.event() {
                assert_eq!((done, result), (subscription, Ok(())));
                return subscriber;
            }
        }
    }

    /// Waits for the next message.
    pub(crate) fn message(&mut self) -> Message {
        loop {
            match self.event() {
                Event::Message { message, .. } => return message,
                Event::Notice { notice, .. } => panic!("{notice:?}"),
                _ => {}
            }
        }
    }

    fn now(&self) -> Now {
        let elapsed = u64::try_from(self.start.elapsed().as_millis()).unwrap();
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
        Now { instant: Instant(elapsed), unix: UnixMillis(u64::try_from(wall).unwrap()) }
    }

    /// Returns the next event. Answers requests for a session and skips them.
    fn event(&mut self) -> Event {
        loop {
            while let Some(transmit) = self.core.poll_transmit() {
                self.transmit(transmit);
            }
            let now = self.now();
            match self.core.poll_event() {
                Some(Event::SessionRequested { fetch, .. }) => {
                    self.core.handle_session(now, fetch, self.grant.clone());
                }
                Some(event) => return event,
                None => self.receive(),
            }
        }
    }

    fn transmit(&mut self, transmit: Transmit) {
        match transmit {
            Transmit::Connect { connection, url } => {
                let mut request = (&*url).into_client_request().unwrap();
                request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
                let address = request.uri().authority().unwrap().as_str();
                let stream = TcpStream::connect(address).unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                let (socket, _) = tungstenite::client(request, stream).unwrap();
                self.socket = Some((connection, socket));
                let now = self.now();
                self.core.handle_opened(now, connection);
            }
            Transmit::Send { bytes, .. } => {
                let (_, socket) = self.socket.as_mut().unwrap();
                socket.send(Frame::Binary(bytes.into())).unwrap();
            }
            Transmit::Disconnect { .. } => self.socket = None,
        }
    }

    fn receive(&mut self) {
        let (connection, socket) = self.socket.as_mut().expect("the client has connected");
        let connection = *connection;
        if let Frame::Binary(bytes) = socket.read().expect("the relay sends a frame within the timeout") {
            let now = self.now();
            self.core.handle_frame(now, connection, Some(bytes));
        }
    }
}

/// Returns the session that the installation's resolver would grant.
fn grant(port: u16, installation: &Installation, context: &Scope) -> SessionGrant {
    let keys = EncryptionKey::new(installation.encryption_key).scope_keys(
        &installation.app,
        &installation.id,
        context,
    );
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    SessionGrant {
        url: format!("ws://127.0.0.1:{port}/v1/realtime"),
        token: installation.session("reader", context, LIFETIME),
        issued_at_ms: UnixSeconds(wall).millis(),
        expires_at: UnixSeconds(wall + LIFETIME),
        app: installation.app.clone(),
        installation: installation.id.clone(),
        context: context.clone(),
        keys: vec![GrantKey::new(&keys, String::new())],
        name_tag_key: None,
    }
}
