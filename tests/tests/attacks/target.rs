//! The relay under attack, whom it serves, and what an attacker holds.

use crate::forged;
use sealwire_protocol::{
    Code, Scope,
    wire::{Channel, Hello, Refresh, ToClient, ToRelay},
};
use sealwire_tests::{Farewell, Installation, RawSocket, RelayProcess};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

/// What the relay allows one address.
pub(crate) const CONNECTIONS_PER_ADDRESS: usize = 200;
/// The longest time in which a client may read nothing of an answer.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_secs(3);
/// What the relay allows one account.
pub(crate) const SESSIONS_PER_ACCOUNT: usize = 100;

/// A relay with three apps.
pub(crate) struct Target {
    pub(crate) relay: RelayProcess,
    pub(crate) port: u16,
    /// Where the attacks happen.
    pub(crate) victim: Installation,
    /// Another installation of the same app.
    pub(crate) neighbour: Installation,
    /// Another app.
    pub(crate) stranger: Installation,
    /// Where the bystanders are: another app still.
    pub(crate) bystander: Installation,
}

impl Target {
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// The same with further settings.
    pub(crate) fn start_with(settings: &str) -> Self {
        let settings = format!(
            "hello_timeout = \"3s\"\nwrite_timeout = \"{}s\"\nmax_connections_per_address = {CONNECTIONS_PER_ADDRESS}\n\
             max_sessions_per_account = {SESSIONS_PER_ACCOUNT}\n{settings}",
            WRITE_TIMEOUT.as_secs(),
        );
        Self::start_as(RelayProcess::start_logged, &settings)
    }

    /// The same with these settings alone, as `start` starts a relay for these installations.
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
        Self { port: relay.port, relay, victim, neighbour, stranger, bystander }
    }

    /// A connection with a session of `account` in [`context`].
    pub(crate) fn open(&self, installation: &Installation, account: &str) -> RawSocket {
        RawSocket::open(self.port, &installation.session(account, &context(), 600))
    }

    /// A connection from another address of this machine.
    pub(crate) fn connect_from(&self, address: Ipv4Addr) -> RawSocket {
        self.try_connect_from(address).expect("the relay listens")
    }

    /// The same, where the relay takes it.
    pub(crate) fn try_connect_from(&self, address: Ipv4Addr) -> Option<RawSocket> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((address, 0)).into()).unwrap();
        self.connect_with(socket)
    }

    /// A connection that takes little before it is read.
    pub(crate) fn connect_narrow(&self) -> RawSocket {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        self.connect_with(socket).expect("the relay listens")
    }

    fn connect_with(&self, socket: Socket) -> Option<RawSocket> {
        socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)).into()).ok()?;
        Some(RawSocket::over(socket.into()))
    }

    /// A connection with a session at the attacked installation.
    pub(crate) fn mallory(&self) -> RawSocket {
        self.open(&self.victim, "mallory")
    }

    /// A session token with these claims changed, or removed where they are null, signed as it should be.
    pub(crate) fn token_with(&self, changes: Value) -> String {
        forged::sign(
            &self.victim.signing_key,
            forged::header(&self.victim),
            self.claims_with(changes).to_string(),
        )
    }

    /// The claims of a good session token with these changed, or removed where they are null.
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

    /// The token must open no session, refresh none, and publish nothing over HTTP, each time with a code of `codes`.
    pub(crate) fn must_refuse(&self, token: &str, codes: &[Code]) {
        let expected = |number: Option<u32>| {
            number.and_then(Code::from_number).is_some_and(|code| codes.contains(&code))
        };
        let mut socket = RawSocket::upgraded(self.port);
        socket.message(&ToRelay::Hello(Hello { token: token.into() }));
        let farewell = socket.farewell();
        assert!(expected(farewell.goodbye), "hello: {farewell:?}");
        assert_eq!((farewell.close, farewell.before.len()), (Some(4401), 0), "{farewell:?}");

        let mut socket = self.mallory();
        let request = socket.request();
        socket.message(&ToRelay::Refresh(Refresh {
            request,
            channel_id: Default::default(),
            token: token.into(),
        }));
        match socket.expect() {
            ToClient::Failed(failed) => assert!(expected(Some(failed.code)), "refresh: {failed:?}"),
            other => panic!("refresh: {other:?}"),
        }
        must_live(&mut socket);

        // What is of another kind may be of the kind that publishes.
        let of_another_kind = codes == [Code::TokenAudience];
        if !of_another_kind && token.bytes().all(|byte| byte.is_ascii_graphic()) && token.len() < 8000 {
            let answer = self.post(&format!("authorization: Bearer {token}\r\n"), "{}");
            assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("TOKEN_"), "{answer}");
        }
    }

    /// Must refuse the token for being malformed.
    pub(crate) fn must_find_malformed(&self, token: &str) {
        self.must_refuse(token, &[Code::TokenMalformed]);
    }

    /// The answer to `POST /v1/publish` with these headers.
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

    /// The answer to `POST /v1/publish` with a good token.
    pub(crate) fn publish(&self, body: &str) -> String {
        self.post(&format!("authorization: Bearer {}\r\n", self.victim.backend()), body)
    }

    /// Sends bytes over a connection of their own; everything that comes back until its end.
    pub(crate) fn exchange(&self, bytes: &[u8]) -> String {
        let mut socket = RawSocket::connect(self.port);
        socket.send(bytes);
        socket.text()
    }

    /// Sends bytes after the opening handshake; how the connection ends.
    pub(crate) fn websocket(&self, bytes: &[u8]) -> Farewell {
        let mut socket = RawSocket::upgraded(self.port);
        socket.send(bytes);
        socket.farewell()
    }

    /// Nothing of what only the owners know is in the log.
    pub(crate) fn must_have_kept_its_secrets(&self) {
        let log = self.relay.log();
        assert!(log.contains("audit") && log.contains("mallory"), "the audit log is empty");
        for installation in [&self.victim, &self.stranger, &self.bystander] {
            let (_, secret) = installation.signing_key.split_once('.').unwrap();
            assert!(!log.contains(secret), "a signing key is in the log");
        }
        // Tokens, channel names, and who was refused nothing.
        for secret in ["eyJ", "bystanders", "secret-channel", "\"reader\"", "\"writer\""] {
            assert!(!log.contains(secret), "{secret} is in the log");
        }
        assert!(!log.contains("panicked"), "the relay panicked");
    }
}

/// The session goes on.
pub(crate) fn must_live(socket: &mut RawSocket) {
    socket.message(&ToRelay::Ping(sealwire_protocol::wire::Ping {}));
    match socket.expect() {
        ToClient::Pong(_) => {}
        other => panic!("{other:?} came instead of Pong"),
    }
}

/// The connection was ended for its rate. Who goes on flooding may get a reset instead of the reason.
pub(crate) fn must_have_been_too_fast(farewell: &Farewell) {
    let told = (farewell.goodbye, farewell.close);
    let code = Code::RateLimited;
    let expected = (Some(code.number()), Some(code.close_code() as u16));
    assert!(told == expected || told == (None, None), "{told:?}");
}

/// The answer must be a refusal with this code.
pub(crate) fn must_fail(answer: &ToClient, code: Code) {
    match answer {
        ToClient::Failed(failed) => assert_eq!(Code::from_number(failed.code), Some(code), "{failed:?}"),
        other => panic!("{other:?} came instead of {}", code.name()),
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

/// A channel in the whole context.
pub(crate) fn channel(name: &str) -> Channel {
    Channel { name: name.into(), properties: vec!["dashboard".into(), "module".into()], token: String::new() }
}

/// Bytes that have the size of a sealed message.
pub(crate) fn sealed(text: &str) -> Vec<u8> {
    [vec![1; 64], text.as_bytes().to_vec()].concat()
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

pub(crate) fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}
