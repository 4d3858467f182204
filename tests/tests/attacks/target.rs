//! The relay under attack, the installations that it serves, and the requests and assertions that attacks share.

use crate::{cluster::Cluster, forged};
use sealwire_protocol::{
    Code, Scope,
    wire::{Channel, Hello, Refresh, ToClient, ToRelay},
};
use sealwire_tests::{ConnectionEnd, Installation, RawSocket, RelayProcess};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

/// The relay's `max_connections_per_address`.
pub(crate) const CONNECTIONS_PER_ADDRESS: usize = 200;
/// The relay's `write_timeout`: the longest time in which a client may read nothing of a response.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_secs(3);
/// The relay's `max_sessions_per_account`.
pub(crate) const SESSIONS_PER_ACCOUNT: usize = 100;

/// The longest time until a relay is ready.
const READY_TIMEOUT: Duration = Duration::from_secs(30);

/// A relay with three apps, by itself or in a cluster.
pub(crate) struct Target {
    /// The relay of the attackers.
    pub(crate) relay: RelayProcess,
    pub(crate) port: u16,
    /// The rest of the relay's cluster; `None` for a relay with the embedded broker.
    pub(crate) cluster: Option<Cluster>,
    /// The installation that attacks target.
    pub(crate) victim: Installation,
    /// Another installation of the same app.
    pub(crate) neighbour: Installation,
    /// Another app.
    pub(crate) stranger: Installation,
    /// The bystanders' installation, of a third app.
    pub(crate) bystander: Installation,
}

impl Target {
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// Starts the relay with further settings.
    pub(crate) fn start_with(settings: &str) -> Self {
        Self::start_as(RelayProcess::start_logged, &(limits() + settings))
    }

    /// Starts two relays on three NATS servers.
    pub(crate) fn start_in_cluster() -> Self {
        let cluster = Cluster::start();
        let settings = limits() + &cluster.settings();
        let mut target = Self::start_as(RelayProcess::start_logged, &settings);
        let installations = [&target.victim, &target.stranger, &target.bystander];
        let other = RelayProcess::start_logged(&installations, &settings);
        [target.port, other.port].into_iter().for_each(await_ready);
        target.cluster = Some(cluster.with(other));
        target
    }

    /// Starts the relay by the function `start`, with these settings alone.
    pub(crate) fn start_as(start: fn(&[&Installation], &str) -> RelayProcess, settings: &str) -> Self {
        let (victim, stranger, bystander) =
            (Installation::new("victim"), Installation::new("stranger"), Installation::new("bystander"));
        let neighbour = Installation {
            app: victim.app.clone(),
            id: "ari:cloud:jira::site/neighbour".into(),
            signing_key: victim.signing_key.clone(),
            encryption_key: [9; 32],
        };
        let relay = start(&[&victim, &stranger, &bystander], settings);
        Self { port: relay.port, relay, cluster: None, victim, neighbour, stranger, bystander }
    }

    /// Returns the relays: that of the attackers, and the other one of a cluster.
    pub(crate) fn relays(&self) -> impl Iterator<Item = &RelayProcess> {
        [&self.relay].into_iter().chain(self.cluster.as_ref().map(Cluster::other))
    }

    /// Opens a session of `account` in [`context`], at the relay of the attackers.
    pub(crate) fn open(&self, installation: &Installation, account: &str) -> RawSocket {
        RawSocket::open(self.port, &installation.session(account, &context(), 600))
    }

    /// Opens a session of `account` in [`context`], at the other relay of a cluster.
    pub(crate) fn open_elsewhere(&self, installation: &Installation, account: &str) -> RawSocket {
        let port = self.relays().last().map_or(self.port, |relay| relay.port);
        RawSocket::open(port, &installation.session(account, &context(), 600))
    }

    /// Opens a session of the victim `alice`, at the other relay of a cluster.
    pub(crate) fn alice(&self) -> RawSocket {
        self.open_elsewhere(&self.victim, "alice")
    }

    /// Connects from another address of this machine.
    pub(crate) fn connect_from(&self, address: Ipv4Addr) -> RawSocket {
        self.try_connect_from(address).expect("the relay listens")
    }

    /// Connects from another address of this machine; `None` if the connection fails.
    pub(crate) fn try_connect_from(&self, address: Ipv4Addr) -> Option<RawSocket> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((address, 0)).into()).unwrap();
        self.connect_with(socket)
    }

    /// Connects with a small receive buffer.
    pub(crate) fn connect_narrow(&self) -> RawSocket {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        self.connect_with(socket).expect("the relay listens")
    }

    fn connect_with(&self, socket: Socket) -> Option<RawSocket> {
        socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)).into()).ok()?;
        Some(RawSocket::over(socket.into()))
    }

    /// Opens a session of the attacker at the victim's installation.
    pub(crate) fn mallory(&self) -> RawSocket {
        self.open(&self.victim, "mallory")
    }

    /// Returns a well-signed session token in which these claims are changed, or removed if null.
    pub(crate) fn token_with(&self, changes: Value) -> String {
        forged::sign(
            &self.victim.signing_key,
            forged::header(&self.victim),
            self.claims_with(changes).to_string(),
        )
    }

    /// Returns the claims of a valid session token in which these are changed, or removed if null.
    pub(crate) fn claims_with(&self, changes: Value) -> Value {
        let mut claims = json!({
            "aud": "sealwire:session", "iss": self.victim.app, "ins": self.victim.id, "sub": "mallory",
            "ctx": context(), "can": ["subscribe", "publish"], "iat": now() - 5, "exp": now() + 600,
        });
        let object = claims.as_object_mut().unwrap();
        for (claim, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(object.remove(claim)),
                value => drop(object.insert(claim.clone(), value.clone())),
            }
        }
        claims
    }

    /// Asserts that the token opens no session, refreshes none and publishes nothing over HTTP. The code of the first two
    /// refusals must be one of `codes`.
    pub(crate) fn must_refuse(&self, token: &str, codes: &[Code]) {
        let expected = |number: Option<u32>| {
            number.and_then(Code::from_number).is_some_and(|code| codes.contains(&code))
        };
        let mut socket = RawSocket::upgraded(self.port);
        socket.send_message(&ToRelay::Hello(Hello { token: token.into() }));
        let end = socket.read_to_end();
        assert!(expected(end.goodbye), "hello: {end:?}");
        assert_eq!((end.close, end.before.len()), (Some(4401), 0), "{end:?}");

        let mut socket = self.mallory();
        let request = socket.request();
        socket.send_message(&ToRelay::Refresh(Refresh {
            request,
            channel_id: Default::default(),
            token: token.into(),
        }));
        match socket.expect_message() {
            ToClient::Failed(failed) => assert!(expected(Some(failed.code)), "refresh: {failed:?}"),
            other => panic!("refresh: {other:?}"),
        }
        must_stay_open(&mut socket);

        // A token of another kind may be a backend token, which may publish.
        let is_of_another_kind = codes == [Code::TokenAudience];
        if !is_of_another_kind && token.bytes().all(|byte| byte.is_ascii_graphic()) && token.len() < 8000 {
            let response = self.post(&format!("authorization: Bearer {token}\r\n"), "{}");
            assert!(response.starts_with("HTTP/1.1 401") && response.contains("TOKEN_"), "{response}");
        }
    }

    /// Asserts that the relay refuses the token as malformed.
    pub(crate) fn must_find_malformed(&self, token: &str) {
        self.must_refuse(token, &[Code::TokenMalformed]);
    }

    /// Sends `POST /v1/publish` with these headers and returns the response.
    pub(crate) fn post(&self, headers: &str, body: &str) -> String {
        self.exchange(
            format!(
                "POST /v1/publish HTTP/1.1\r\nhost: relay\r\nconnection: close\r\ncontent-length: {}\r\n\
                 content-type: application/json\r\n{headers}\r\n{body}",
                body.len()
            )
            .as_bytes(),
        )
    }

    /// Sends `POST /v1/publish` with a valid token and returns the response.
    pub(crate) fn publish(&self, body: &str) -> String {
        self.post(&format!("authorization: Bearer {}\r\n", self.victim.backend()), body)
    }

    /// Sends bytes over a new connection. Returns everything that arrives until the connection ends.
    pub(crate) fn exchange(&self, bytes: &[u8]) -> String {
        let mut socket = RawSocket::connect(self.port);
        socket.send(bytes);
        socket.text()
    }

    /// Sends bytes after the opening handshake. Returns the end of the connection.
    pub(crate) fn websocket(&self, bytes: &[u8]) -> ConnectionEnd {
        let mut socket = RawSocket::upgraded(self.port);
        socket.send(bytes);
        socket.read_to_end()
    }

    /// Asserts that no log holds a key, a token, a channel name, or an account whose requests all succeeded.
    pub(crate) fn must_have_logged_no_secret(&self) {
        let log: String = self.relays().map(RelayProcess::log).collect();
        for installation in [&self.victim, &self.stranger, &self.bystander] {
            let (_, secret) = installation.signing_key.split_once('.').unwrap();
            assert!(!log.contains(secret), "a signing key is in the log");
        }
        // "eyJ" begins every token; the bystanders' accounts were never refused anything.
        for secret in ["eyJ", "bystanders", "secret-channel", "\"reader\"", "\"writer\""] {
            assert!(!log.contains(secret), "{secret} is in the log");
        }
        assert!(!log.contains("panicked"), "the relay panicked");
    }
}

/// Returns the limits that the attacks exceed, as lines of the configuration.
fn limits() -> String {
    format!(
        "hello_timeout = \"3s\"\nwrite_timeout = \"{}s\"\nmax_connections_per_address = {CONNECTIONS_PER_ADDRESS}\n\
         max_sessions_per_account = {SESSIONS_PER_ACCOUNT}\n",
        WRITE_TIMEOUT.as_secs(),
    )
}

/// Waits until the relay is ready.
pub(crate) fn await_ready(port: u16) {
    let start = Instant::now();
    let is_ready = || {
        let mut socket = RawSocket::connect(port);
        socket.send(b"GET /readyz HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n\r\n");
        socket.text().starts_with("HTTP/1.1 200")
    };
    while !is_ready() {
        assert!(start.elapsed() < READY_TIMEOUT, "the relay is not ready");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Asserts that the session is still open.
pub(crate) fn must_stay_open(socket: &mut RawSocket) {
    socket.send_message(&ToRelay::Ping(sealwire_protocol::wire::Ping::default()));
    match socket.expect_message() {
        ToClient::Pong(_) => {}
        other => panic!("received {other:?} instead of Pong"),
    }
}

/// Asserts that the connection was closed with `RATE_LIMITED`, or reset: a client that keeps sending may receive a reset
/// before it reads the reason.
pub(crate) fn must_be_rate_limited(end: &ConnectionEnd) {
    let received = (end.goodbye, end.close);
    let code = Code::RateLimited;
    let expected = (Some(code.number()), Some(code.close_code() as u16));
    assert!(received == expected || received == (None, None), "{received:?}");
}

/// Asserts that the answer is a refusal with this code.
pub(crate) fn must_fail(answer: &ToClient, code: Code) {
    match answer {
        ToClient::Failed(failed) => assert_eq!(Code::from_number(failed.code), Some(code), "{failed:?}"),
        other => panic!("received {other:?} instead of {}", code.name()),
    }
}

/// The context of every session.
pub(crate) fn context() -> Scope {
    scope(&[("module", "absences"), ("dashboard", "10001")])
}

pub(crate) fn scope(pairs: &[(&str, &str)]) -> Scope {
    let mut scope = Scope::default();
    pairs.iter().for_each(|(property, value)| scope.insert(property, value).unwrap());
    scope
}

/// A channel whose scope is the whole context.
pub(crate) fn channel(name: &str) -> Channel {
    Channel { name: name.into(), properties: vec!["dashboard".into(), "module".into()], token: String::new() }
}

/// Bytes of the size of a sealed message: 80 bytes, then the text.
pub(crate) fn sealed(text: &str) -> Vec<u8> {
    [vec![1; 80], text.as_bytes().to_vec()].concat()
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

pub(crate) fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}
